"""Photos sent as encoded files: raw bytes after a length prefix, or base64."""

from __future__ import annotations

import binascii
import math
import struct
from base64 import b64decode
from typing import Any

from kserve import InferInput

from phytoflow.data.images.limits import Limits
from phytoflow.errors import PhotoError
from serving.predictor.errors import malformed, too_large
from serving.predictor.inputs.tensors import format_shape
from serving.predictor.inputs.types import Photo, RequestLimits

_PREFIX = struct.Struct("<I")  # V2's binary form of BYTES: little-endian length before each element
_FORMS = 'a base64 string, {"b64": "..."} or {NAME: {"b64": "..."}}'


def parse_files(tensor: InferInput, limits: RequestLimits) -> list[Photo]:
    """Reads encoded photos from a BYTES tensor [N] or [N, 1]; raises RequestError 400 or 413."""
    if tensor._raw_data is not None:
        contents: list[Any] = _split_prefixed(tensor._raw_data, limits)
    else:
        contents = _flatten(tensor.data)
    expected = math.prod(tensor.shape)
    if len(contents) != expected:
        shape = format_shape(tensor.shape)
        raise malformed(f"shape {shape} means {expected} photos, the data holds {len(contents)}")
    limits.check_count(len(contents))
    return [parse_file(index, content, limits.photo) for index, content in enumerate(contents)]


def parse_file(index: int, value: Any, limits: Limits) -> bytes:
    """Reads one encoded photo.

    Args:
        index: Number of the photo, for the message.
        value: Bytes, a base64 string, ``{"b64": base64}``, or, as TensorFlow Serving and KServe's examples
            send it, an object with one named input: ``{"image_bytes": {"b64": base64}}``.
        limits: Limits on one photo.

    Raises:
        RequestError: 400 or 413.
    """
    if isinstance(value, dict) and len(value) == 1:
        (value,) = value.values()
        if isinstance(value, dict) and value.keys() == {"b64"}:
            value = value["b64"]
    if isinstance(value, bytes):
        content = value
    elif isinstance(value, str):
        content = _decode_base64(index, value, limits)
    else:
        raise malformed(f"photo {index}: not {_FORMS}")
    if content:  # an empty file is refused by the decoder, with its own reason
        _check_bytes(index, len(content), limits)
    return content


def _decode_base64(index: int, text: str, limits: Limits) -> bytes:
    if (at_least := len(text) // 4 * 3 - 2) > 0:
        _check_bytes(index, at_least, limits)  # before it is decoded
    try:
        return b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        form = "standard alphabet, padded, no line breaks"
        if text.startswith("data:"):
            form = "a data: URL; send what follows its comma"
        raise malformed(f"photo {index}: not valid base64 ({form})") from None


def _check_bytes(index: int, size: int, limits: Limits) -> None:
    try:
        limits.check_bytes(size)
    except PhotoError as error:
        raise too_large(f"photo {index}: {error.message}") from None


def _split_prefixed(raw: bytes, limits: RequestLimits) -> list[bytes]:
    contents: list[bytes] = []
    start = 0
    while start < len(raw):
        index = len(contents)
        if index >= limits.max_photos:
            raise too_large(f"more than {limits.max_photos} photos in one request")
        if start + _PREFIX.size > len(raw):
            raise malformed(f"photo {index}: its length is cut short; four bytes must precede each photo")
        (length,) = _PREFIX.unpack_from(raw, start)
        start += _PREFIX.size
        if length > len(raw) - start:
            raise malformed(f"photo {index}: {length} bytes announced, {len(raw) - start} there")
        contents.append(raw[start : start + length])
        start += length
    return contents


def _flatten(data: Any) -> list[Any]:
    """Elements of a list of shape [N] or [N, 1]."""
    if not isinstance(data, list):
        raise malformed("data is not a list")
    return [item[0] if isinstance(item, list) and len(item) == 1 else item for item in data]
