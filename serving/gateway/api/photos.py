"""Photos of a request: a multipart form, an image as the whole body, or JSON with base64."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Any

import orjson
from fastapi import Request
from python_multipart import MultipartParser
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import parse_options_header

from serving.gateway.log.text import printable
from serving.gateway.photo import Photo
from serving.gateway.problems import ProblemError

_MAX_NAME = 255
_MAX_FIELD_BYTES = 4096
_FRAMING_BYTES = 64 * 2**10  # of a multipart form, per photo: boundaries, headers, small fields
_MAX_FIELDS = 32
_SIGNATURES = (b"<svg", b"<?xml", b"<!doctype", b"<html", b"PK\x03\x04", b"%PDF", b"\x1f\x8b")


@dataclass
class PhotoRequest:
    """Photos and options from the same form or JSON document."""

    photos: list[Photo] = field(default_factory=list)
    options: dict[str, str] = field(default_factory=dict)


async def read_photos(request: Request, *, max_photos: int, max_photo_bytes: int) -> PhotoRequest:
    """Reads the photos of a request.

    Args:
        request: Its body is read as it comes, and never more of it than is allowed.
        max_photos: Maximum number of photos.
        max_photo_bytes: Maximum size of each.

    Raises:
        ProblemError: 400, 413 or 415; names the photo and the limit.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind == b"multipart/form-data":
        boundary = options.get(b"boundary", b"")
        form = _Form(boundary, max_photos, max_photo_bytes)
        return await form.read(request)
    if kind == b"application/json":
        limit = (max_photo_bytes * max_photos + 2) // 3 * 4 + _FRAMING_BYTES * max_photos
        return _from_json(await read_body(request, limit), max_photos, max_photo_bytes)
    if kind.startswith(b"image/") or kind in (
        b"application/octet-stream",
        b"application/x-www-form-urlencoded",
    ):
        # curl --data-binary sends application/x-www-form-urlencoded unless told otherwise.
        return PhotoRequest([_checked(await read_body(request, max_photo_bytes), "", 0)])
    raise ProblemError(
        415,
        "unsupported_media_type",
        f"cannot read a body of type {kind.decode('latin-1')[:80]!r}",
        remedy="send multipart/form-data with `file`, an image body, or JSON with base64",
    )


async def read_body(request: Request, limit: int) -> bytearray:
    """Reads a body of at most ``limit`` bytes; raises ProblemError 413."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise _too_large(int(announced), limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise _too_large(len(body), limit)
    return body


def clean_name(name: str) -> str:
    """A file name without folders and control characters, at most 255 characters, NFC."""
    return printable(re.split(r"[\\/]", name)[-1], _MAX_NAME)


class _Form:
    """A multipart form, parsed as it comes: photos in memory, small fields as options."""

    def __init__(self, boundary: bytes, max_photos: int, max_photo_bytes: int) -> None:
        if not boundary:
            raise ProblemError(400, "malformed", "the multipart form names no boundary")
        self._max_photos, self._max_photo_bytes = max_photos, max_photo_bytes
        self._found = PhotoRequest()
        self._headers: dict[bytes, bytes] = {}
        self._header = (bytearray(), bytearray())
        self._part, self._is_photo, self._finished = bytearray(), False, False
        callbacks = {
            "on_part_begin": self._begin,
            "on_header_field": lambda data, start, end: self._header[0].extend(data[start:end]),
            "on_header_value": lambda data, start, end: self._header[1].extend(data[start:end]),
            "on_header_end": self._end_header,
            "on_headers_finished": self._classify,
            "on_part_data": self._data,
            "on_part_end": self._end,
            "on_end": self._finish,
        }
        self._parser = MultipartParser(boundary, callbacks)  # type: ignore[arg-type]

    async def read(self, request: Request) -> PhotoRequest:
        """Reads the whole form."""
        seen, limit = 0, self._max_photos * (self._max_photo_bytes + _FRAMING_BYTES)
        try:
            async for chunk in request.stream():
                seen += len(chunk)
                if seen > limit:
                    raise _too_large(seen, limit)
                self._parser.write(chunk)
            self._parser.finalize()
        except MultipartParseError as error:
            raise ProblemError(400, "malformed", f"the multipart form cannot be read: {error}") from error
        if not self._finished:
            raise ProblemError(400, "malformed", "the multipart form ends early")
        if not self._found.photos:
            raise ProblemError(
                400, "no_photo", "the form holds no photo", remedy="send it as the field `file`"
            )
        return self._found

    def _begin(self) -> None:
        self._headers, self._part = {}, bytearray()

    def _end_header(self) -> None:
        name, value = self._header
        self._headers[bytes(name).lower()] = bytes(value)
        self._header = (bytearray(), bytearray())

    def _classify(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        self._file = options.get(b"filename", b"").decode("utf-8", "replace")
        self._is_photo = b"filename" in options or self._name in ("file", "files", "photo", "photos")
        if self._is_photo and len(self._found.photos) >= self._max_photos:
            raise too_many(len(self._found.photos) + 1, self._max_photos)

    def _data(self, data: bytes, start: int, end: int) -> None:
        limit = self._max_photo_bytes if self._is_photo else _MAX_FIELD_BYTES
        if len(self._part) + end - start > limit:
            raise _too_large(len(self._part) + end - start, limit, photo=clean_name(self._file))
        self._part += memoryview(data)[start:end]

    def _end(self) -> None:
        if self._is_photo:
            photos = self._found.photos
            photos.append(_checked(self._part, clean_name(self._file), len(photos)))
        elif len(self._found.options) >= _MAX_FIELDS:
            raise ProblemError(400, "malformed", f"the multipart form has more than {_MAX_FIELDS} fields")
        elif self._name:
            self._found.options[self._name] = self._part.decode("utf-8", "replace")

    def _finish(self) -> None:
        self._finished = True


def _from_json(body: bytearray, max_photos: int, max_photo_bytes: int) -> PhotoRequest:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ProblemError(400, "malformed", f"the body is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ProblemError(400, "malformed", "the body is not a JSON object")
    images = document.pop("images", None) or [document.pop("image", None)]
    if not isinstance(images, list) or images == [None]:
        raise ProblemError(
            400, "no_photo", "the document has no `image`", remedy='send {"image": "<base64>"}'
        )
    if len(images) > max_photos:
        raise too_many(len(images), max_photos)
    photos = [_decode(image, index, max_photo_bytes) for index, image in enumerate(images)]
    name = document.pop("name", "")
    if len(photos) == 1 and isinstance(name, str) and name:
        photos = [Photo(photos[0].content, clean_name(name))]
    return PhotoRequest(photos, {key: _text(key, value) for key, value in document.items()})


def _decode(image: Any, index: int, max_photo_bytes: int) -> Photo:
    name = ""
    if isinstance(image, dict):
        name, image = clean_name(str(image.get("name", ""))), image.get("data", image.get("b64"))
    if not isinstance(image, str):
        raise ProblemError(400, "malformed", f"photo {index} is not base64 text", photo=index)
    text = image.partition(",")[2] if image.startswith("data:") else image
    try:
        content = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProblemError(400, "malformed", f"photo {index} is not base64: {error}", photo=index) from error
    if len(content) > max_photo_bytes:
        raise _too_large(len(content), max_photo_bytes, photo=name or index)
    return _checked(content, name, index)


def _text(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():  # 3.0 is an integer of JSON, too
        return str(int(value))
    if isinstance(value, str | int | float):
        return str(value)
    raise ProblemError(400, "malformed", f"{key!r} is not a text, number or boolean")


def _checked(content: bytearray | bytes, name: str, index: int) -> Photo:
    """Refuses what is plainly no photo before the predictor is asked and before anything is stored."""
    if not content:
        raise ProblemError(422, "empty", f"photo {name or index} is empty", photo=name or index)
    start = bytes(content[:64]).lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(tuple(signature.lower() for signature in _SIGNATURES)):
        raise ProblemError(
            415,
            "not_an_image",
            f"photo {name or index} is a document or archive, not a photo",
            remedy="send a JPEG, PNG, WebP, TIFF, HEIC or AVIF image",
            photo=name or index,
        )
    return Photo(content, name)


def too_many(count: int, limit: int) -> ProblemError:
    """More photos than one request may hold."""
    return ProblemError(
        413,
        "too_many_photos",
        f"{count} photos in one request; at most {limit} are allowed",
        remedy=f"send at most {limit} at a time",
    )


def _too_large(size: int, limit: int, **extra: Any) -> ProblemError:
    return ProblemError(
        413,
        "too_large",
        f"{size} bytes are more than the {limit} allowed",
        remedy="send a smaller photo, or ask the operators to raise server.max_photo_bytes",
        **extra,
    )
