"""From a request's tensors to photos, whichever of the ways to ask was taken."""

from __future__ import annotations

import binascii
import math
import struct
from base64 import b64decode
from dataclasses import dataclass
from typing import Any

import numpy as np
from kserve import InferInput
from numpy.typing import NDArray

from phytoflow.data.decode import Limits
from serving.predictor.errors import malformed, too_large

Photo = bytes | NDArray[np.uint8] | NDArray[np.float32]
"""An encoded file; or decoded uint8 [H, W, 3]; or preprocessed float32 [3, size, size]."""


@dataclass(frozen=True)
class Bounds:
    """What a request may hold.

    Attributes:
        photos: Most photos.
        limits: Of each photo.
        size: Side of the network's input, pixels.
    """

    photos: int
    limits: Limits
    size: int


def photos_of(inputs: list[InferInput], bounds: Bounds) -> list[Photo]:
    """The photos of a V2 request, REST or gRPC.

    Raises:
        RequestError: 400 or 413, naming the photo.
    """
    if len(inputs) != 1:
        raise malformed(f"{len(inputs)} inputs; one is expected, of datatype BYTES, UINT8 or FP32")
    tensor = inputs[0]
    if any(side < 0 for side in tensor.shape) or len(tensor.shape) > 4:
        raise malformed(f"shape {_shown(tensor.shape)} is not one of [N], [N,H,W,3] or [N,3,H,W]")
    _check_count(tensor.shape[0] if tensor.shape else 1, bounds)
    readers = {"BYTES": _files, "UINT8": _pixels, "FP32": _tensors}
    if tensor.datatype not in readers:
        raise malformed(f"datatype {tensor.datatype[:16]!r} is not one of BYTES, UINT8 or FP32")
    return readers[tensor.datatype](tensor, bounds)


def photos_of_instances(body: Any, bounds: Bounds) -> list[Photo]:
    """The photos of a V1 request: ``{"instances": [{"b64": "..."}, "..."]}``."""
    instances = body.get("instances") if isinstance(body, dict) else None
    if not isinstance(instances, list):
        raise malformed('the body is not {"instances": [...]}')
    _check_count(len(instances), bounds)
    return [_base64(i, v["b64"] if _is_b64(v) else v, bounds.limits) for i, v in enumerate(instances)]


def _is_b64(value: Any) -> bool:
    return isinstance(value, dict) and "b64" in value


def _check_count(count: int, bounds: Bounds) -> None:
    if count < 1:
        raise malformed("no photos")
    if count > bounds.photos:
        raise too_large(f"{count} photos; one request may hold {bounds.photos}")


def _files(tensor: InferInput, bounds: Bounds) -> list[Photo]:
    if tensor._raw_data is not None:
        contents: list[Any] = _length_prefixed(tensor._raw_data, bounds)
    else:
        contents = _flat(tensor.data)
    expected = math.prod(tensor.shape)
    if len(contents) != expected:
        raise malformed(
            f"shape {_shown(tensor.shape)} means {expected} photos, the data holds {len(contents)}"
        )
    _check_count(len(contents), bounds)
    return [
        _limited(i, c, bounds.limits) if isinstance(c, bytes) else _base64(i, c, bounds.limits)
        for i, c in enumerate(contents)
    ]


def _length_prefixed(raw: bytes, bounds: Bounds) -> list[bytes]:
    """Each photo after its length, four bytes little-endian (V2's binary form of BYTES)."""
    contents: list[bytes] = []
    start = 0
    while start < len(raw):
        if len(contents) >= bounds.photos:
            raise too_large(f"more than {bounds.photos} photos in one request")
        if start + 4 > len(raw):
            raise malformed(
                f"photo {len(contents)}: its length is cut short; four bytes must precede each photo"
            )
        (length,) = struct.unpack_from("<I", raw, start)
        start += 4
        if length > len(raw) - start:
            raise malformed(f"photo {len(contents)}: {length} bytes announced, {len(raw) - start} there")
        contents.append(raw[start : start + length])
        start += length
    return contents


def _flat(data: Any) -> list[Any]:
    """Data of shape [N] or [N, 1]."""
    if not isinstance(data, list):
        raise malformed("data is not a list")
    return [item[0] if isinstance(item, list) and len(item) == 1 else item for item in data]


def _base64(index: int, value: Any, limits: Limits) -> bytes:
    if not isinstance(value, str):
        raise malformed(f"photo {index}: not a base64 string")
    if len(value) // 4 * 3 - 2 > limits.max_bytes:
        raise too_large(f"photo {index}: more than the {limits.max_bytes} bytes allowed")
    try:
        return _limited(index, b64decode(value, validate=True), limits)
    except (binascii.Error, ValueError):
        raise malformed(
            f"photo {index}: not valid base64 (standard alphabet, padded, no line breaks)"
        ) from None


def _limited(index: int, content: bytes, limits: Limits) -> bytes:
    if len(content) > limits.max_bytes:
        raise too_large(f"photo {index}: {len(content)} bytes, more than the {limits.max_bytes} allowed")
    return content


def _pixels(tensor: InferInput, bounds: Bounds) -> list[Photo]:
    shape = tensor.shape
    if len(shape) != 4 or shape[3] != 3 or min(shape) < 1:
        raise malformed(f"UINT8 of shape {_shown(shape)}; [N, H, W, 3] is expected: decoded RGB photos")
    if shape[1] * shape[2] > bounds.limits.max_pixels:
        raise too_large(
            f"photo 0: {shape[2]} x {shape[1]} pixels, more than {bounds.limits.max_pixels} allowed"
        )
    return list(_array(tensor, np.dtype(np.uint8)))


def _tensors(tensor: InferInput, bounds: Bounds) -> list[Photo]:
    if list(tensor.shape[1:]) != [3, bounds.size, bounds.size]:
        expected = f"[N, 3, {bounds.size}, {bounds.size}]"
        raise malformed(f"FP32 of shape {_shown(tensor.shape)}; {expected} is expected: preprocessed photos")
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
                f"shape {_shown(tensor.shape)} means {expected}, {len(tensor._raw_data)} are there"
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


def _shown(shape: list[int]) -> str:
    return "[" + ",".join(str(side)[:12] for side in shape[:6]) + "]"
