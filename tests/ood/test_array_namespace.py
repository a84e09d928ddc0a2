"""One formula serves both libraries."""

from __future__ import annotations

import numpy as np
import torch

from phytoflow.ood.array_namespace import namespace_of, smallest


def test_an_array_tells_its_library() -> None:
    assert namespace_of(np.zeros(2)) is np
    assert namespace_of(torch.zeros(2)) is torch
    assert namespace_of(torch.nn.Parameter(torch.zeros(2))) is torch


def test_the_smallest_of_each_row() -> None:
    rows = np.random.default_rng(0).normal(size=(3, 9)).astype(np.float32)
    expected = np.sort(rows, axis=1)[:, :4]
    for array in (rows, torch.from_numpy(rows)):
        np.testing.assert_array_equal(np.sort(np.asarray(smallest(array, 4)), axis=1), expected)
