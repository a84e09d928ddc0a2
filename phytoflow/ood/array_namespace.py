"""Helpers for formulas that run on numpy arrays in a predictor and on torch tensors during the ONNX export.

Both libraries have most functions under the same name. This module has what differs.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def namespace_of(array: Any) -> Any:
    """The module of an array, ``numpy`` or ``torch``; imports neither."""
    return sys.modules[type(array).__module__.partition(".")[0]]


def smallest(array: Any, count: int) -> Any:
    """The ``count`` smallest values of each row, [N, M] to [N, count], in no particular order."""
    if isinstance(array, np.ndarray):
        return np.partition(array, count - 1, axis=1)[:, :count]
    return array.topk(count, dim=1, largest=False).values
