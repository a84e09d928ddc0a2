"""Formulas for numpy's arrays, which a predictor has, and for torch's tensors, of which a model file is made.

Both libraries have most functions by one name; what a formula needs beyond these is here.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np


def namespace_of(array: Any) -> Any:
    """``numpy`` or ``torch``, whose array it is; imports neither."""
    return sys.modules[type(array).__module__.partition(".")[0]]


def smallest(array: Any, count: int) -> Any:
    """The smallest of each row, [N, M] to [N, count], in no order."""
    if isinstance(array, np.ndarray):
        return np.partition(array, count - 1, axis=1)[:, :count]
    return array.topk(count, dim=1, largest=False).values
