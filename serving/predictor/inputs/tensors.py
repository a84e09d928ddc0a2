"""Photos sent as numbers: decoded pixels or preprocessed tensors."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from kserve import InferInput
from numpy.typing import NDArray

from serving.predictor.errors import malformed, too_large
from serving.predictor.inputs.types import Photo, RequestLimits


def parse_pixels(tensor: InferInput, limits: RequestLimits) -> list[Photo]:
    """Reads decoded photos from a UINT8 tensor [N, H, W, 3]; raises RequestError 400 or 413."""
    shape = tensor.shape
    if len(shape) != 4 or shape[3] != 3 or min(shape) < 1:
        expected = "[N, H, W, 3] is expected: decoded RGB photos"
        raise malformed(f"UINT8 of shape {format_shape(shape)}; {expected}")
    if shape[1] * shape[2] > limits.photo.max_pixels:
        allowed = f"{limits.photo.max_pixels:,} allowed by {limits.photo.names.max_pixels}"
        raise too_large(f"photo 0: {shape[2]} x {shape[1]} pixels, more than the {allowed}")
    return list(_to_array(tensor, np.dtype(np.uint8)))


def parse_preprocessed(tensor: InferInput, limits: RequestLimits) -> list[Photo]:
    """Reads preprocessed photos from an FP32 tensor [N, 3, size, size]; raises RequestError 400."""
    side = limits.input_size
    if list(tensor.shape[1:]) != [3, side, side]:
        expected = f"[N, 3, {side}, {side}] is expected: preprocessed photos"
        raise malformed(f"FP32 of shape {format_shape(tensor.shape)}; {expected}")
    values = _to_array(tensor, np.dtype(np.float32))
    for index, is_finite in enumerate(np.isfinite(values).all(axis=(1, 2, 3))):
        if not is_finite:
            raise malformed(f"photo {index}: holds NaN or infinity")
    return list(values)


def format_shape(shape: list[int]) -> str:
    """A shape in at most 80 characters, whatever the client sent."""
    return "[" + ",".join(str(side)[:12] for side in shape[:6]) + "]"


def _to_array(tensor: InferInput, dtype: np.dtype[Any]) -> NDArray[Any]:
    count = math.prod(tensor.shape)
    if tensor._raw_data is None:
        return _from_json(tensor.data, count, dtype).reshape(tensor.shape)
    size, expected = len(tensor._raw_data), count * dtype.itemsize
    if size != expected:
        raise malformed(f"shape {format_shape(tensor.shape)} means {expected} bytes, {size} are there")
    return np.frombuffer(tensor._raw_data, dtype).reshape(tensor.shape)


def _from_json(data: Any, count: int, dtype: np.dtype[Any]) -> NDArray[Any]:
    """Converts flat or nested JSON numbers."""
    try:
        # Without a dtype numpy neither rounds floats to integers, nor wraps, nor parses strings.
        values = np.asarray(data if isinstance(data, list) else [])
    except (ValueError, OverflowError):
        raise malformed("data is ragged: its lists differ in length") from None
    if values.size != count:
        raise malformed(f"the shape means {count} values, the data holds {values.size}")
    if values.dtype.kind not in ("iu" if dtype == np.uint8 else "iuf"):
        raise malformed(f"data holds something other than {'integers' if dtype == np.uint8 else 'numbers'}")
    if dtype == np.uint8 and (values.min() < 0 or values.max() > 255):
        raise malformed("data holds values outside 0..255")
    with np.errstate(over="ignore"):  # what float32 cannot hold becomes infinity, which is refused later
        return values.astype(dtype)
