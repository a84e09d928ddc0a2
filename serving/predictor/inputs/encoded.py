"""Photos sent as encoded files: raw bytes, each after its length, or base64."""

from __future__ import annotations

import binascii
import math
import struct
from base64 import b64decode
from typing import TYPE_CHECKING, Any

from kserve import InferInput

from phytoflow.data.images.limits import Limits
from phytoflow.errors import PhotoError
from serving.predictor.errors import malformed, too_large
from serving.predictor.inputs.tensors import shown

if TYPE_CHECKING:
    from serving.predictor.inputs.types import Bounds, Photo


def files(tensor: InferInput, bounds: Bounds) -> list[Photo]:
    """BYTES [N] or [N, 1]; raises RequestError."""
    if tensor._raw_data is not None:
        contents: list[Any] = _length_prefixed(tensor._raw_data, bounds)
    else:
        contents = _flat(tensor.data)
    expected = math.prod(tensor.shape)
    if len(contents) != expected:
        raise malformed(
            f"shape {shown(tensor.shape)} means {expected} photos, the data holds {len(contents)}"
        )
    bounds.check_count(len(contents))
    return [
        _limited(i, c, bounds.limits) if isinstance(c, bytes) else from_base64(i, c, bounds.limits)
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


def from_base64(index: int, value: Any, limits: Limits) -> bytes:
    """One photo; raises RequestError, which says which."""
    if not isinstance(value, str):
        raise malformed(f"photo {index}: not a base64 string")
    if len(value) // 4 * 3 - 2 > limits.max_bytes:
        raise too_large(
            f"photo {index}: more than the {limits.max_bytes:,} bytes allowed by {limits.names.max_bytes}"
        )
    try:
        return _limited(index, b64decode(value, validate=True), limits)
    except (binascii.Error, ValueError):
        raise malformed(
            f"photo {index}: not valid base64 (standard alphabet, padded, no line breaks)"
        ) from None


def _limited(index: int, content: bytes, limits: Limits) -> bytes:
    if content:  # an empty one is refused by the decoder, with its own reason
        try:
            limits.check_bytes(len(content))
        except PhotoError as error:
            raise too_large(f"photo {index}: {error.message}") from None
    return content
