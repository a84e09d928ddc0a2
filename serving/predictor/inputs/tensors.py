"""Photos sent as numbers: decoded pixels, or tensors that are already preprocessed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from kserve import InferInput
from numpy.typing import NDArray

from serving.predictor.errors import malformed, too_large

if TYPE_CHECKING:
    from serving.predictor.inputs.types import Bounds, Photo


def pixels(tensor: InferInput, bounds: Bounds) -> list[Photo]:
    """UINT8 [N, H, W, 3]; raises RequestError."""
    shape = tensor.shape
    if len(shape) != 4 or shape[3] != 3 or min(shape) < 1:
        raise malformed(f"UINT8 of shape {shown(shape)}; [N, H, W, 3] is expected: decoded RGB photos")
    if shape[1] * shape[2] > bounds.limits.max_pixels:
        raise too_large(
            f"photo 0: {shape[2]} x {shape[1]} pixels, more than the {bounds.limits.max_pixels:,} allowed "
            f"by {bounds.limits.names.max_pixels}"
        )
    return list(_array(tensor, np.dtype(np.uint8)))


def preprocessed(tensor: InferInput, bounds: Bounds) -> list[Photo]:
    """FP32 [N, 3, size, size]; raises RequestError."""
    if list(tensor.shape[1:]) != [3, bounds.size, bounds.size]:
        expected = f"[N, 3, {bounds.size}, {bounds.size}]"
        raise malformed(f"FP32 of shape {shown(tensor.shape)}; {expected} is expected: preprocessed photos")
    values = _array(tensor, np.dtype(np.float32))
    for index, finite in enumerate(np.isfinite(values).all(axis=(1, 2, 3))):
        if not finite:
            raise malformed(f"photo {index}: holds NaN or infinity")
    return list(values)


def _array(tensor: InferInput, dtype: np.dtype[Any]) -> NDArray[Any]:
    count = math.prod(tensor.shape)
    if tensor._raw_data is not None:
        if len(tensor._raw_data) != count * dtype.itemsize:
            expected = f"{count * dtype.itemsize} bytes"
            raise malformed(
                f"shape {shown(tensor.shape)} means {expected}, {len(tensor._raw_data)} are there"
            )
        return np.frombuffer(tensor._raw_data, dtype).reshape(tensor.shape)
    return _numbers(tensor.data, count, dtype).reshape(tensor.shape)


def _numbers(data: Any, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """JSON numbers, flat or nested; without a dtype numpy neither rounds, wraps nor reads strings."""
    try:
        values = np.asarray(data if isinstance(data, list) else [])
    except (ValueError, OverflowError):
        raise malformed("data is ragged: its lists differ in length") from None
    if values.size != count:
        raise malformed(f"the shape means {count} values, the data holds {values.size}")
    if values.dtype.kind not in ("iu" if dtype == np.uint8 else "iuf"):
        raise malformed(f"data holds something other than {'integers' if dtype == np.uint8 else 'numbers'}")
    if dtype == np.uint8 and (values.min() < 0 or values.max() > 255):
        raise malformed("data holds values outside 0..255")
    with np.errstate(over="ignore"):  # too large for float32 becomes infinity, which is refused above
        return values.astype(dtype)


def shown(shape: list[int]) -> str:
    """A shape in few characters, whatever a client sent."""
    return "[" + ",".join(str(side)[:12] for side in shape[:6]) + "]"
