"""Channels are put together in memory without changing what normalisation gives."""

from __future__ import annotations

import numpy as np
import pytest

from phytoflow.data.preprocessing import Preprocessing
from phytoflow.inference.planar import planar


@pytest.mark.parametrize("shape", [(5, 4, 3), (2, 5, 4, 3)])
def test_normalised_bits_are_the_same_and_need_no_copy(shape: tuple[int, ...]) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    preprocessing = Preprocessing(size=8, mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    assert np.array_equal(planar(pixels), pixels)
    assert np.moveaxis(planar(pixels), -1, -3).flags.c_contiguous
    assert np.array_equal(preprocessing.normalise(planar(pixels)), preprocessing.normalise(pixels))
