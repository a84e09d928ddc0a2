"""Removal of metadata from photos before they are stored: no place, no camera owner, no comments.

JPEG and PNG keep their pixels to the last bit: only segments are left out. Two things stay, because the photo
would look different without them: the colour profile and the orientation. Other formats are stored as PNG.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

from PIL import Image

_ORIENTATION = 0x0112  # EXIF tag
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT = frozenset(
    {
        b"IHDR",
        b"PLTE",
        b"IDAT",
        b"IEND",
        b"tRNS",
        b"iCCP",
        b"sRGB",
        b"gAMA",
        b"cHRM",
        b"sBIT",
        b"bKGD",
        b"pHYs",
    }
)
_SOI, _SOS, _APP0, _APP2, _APP14 = 0xD8, 0xDA, 0xE0, 0xE2, 0xEE
_APP_KEPT = {_APP0: b"JFIF\0", _APP2: b"ICC_PROFILE\0", _APP14: b"Adobe"}
_MAX_PIXELS = 120_000_000  # of a photo that has to be encoded anew


class UnstorableError(ValueError):
    """The file cannot be taken apart, so it is not stored."""


def strip_metadata(content: bytes) -> tuple[bytes, str]:
    """A photo without metadata.

    Args:
        content: An image file that the predictor could read.

    Returns:
        The image file, and its suffix: ``.jpg`` or ``.png``.

    Raises:
        UnstorableError: Its structure is not understood.
    """
    try:
        if content[:2] == b"\xff\xd8":
            return _strip_jpeg(content), ".jpg"
        if content[:8] == _PNG_SIGNATURE:
            return _strip_png(content), ".png"
        return _as_png(content), ".png"
    except (ValueError, OSError, struct.error, IndexError, Image.DecompressionBombError) as error:
        raise UnstorableError(f"the photo's metadata cannot be removed: {error}") from error


def _strip_jpeg(content: bytes) -> bytes:
    parts = [b"\xff\xd8", *_orientation_segment(_orientation(content))]
    for marker, segment, rest in _jpeg_segments(content):
        if marker == _SOS:
            return b"".join([*parts, segment, rest])
        kept = marker not in range(0xE0, 0xF0) or segment[4:].startswith(_APP_KEPT.get(marker, b"\0none"))
        if kept and marker != 0xFE:  # 0xFE: a comment
            parts.append(segment)
    raise ValueError("no image data")


def _jpeg_segments(content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Marker, whole segment, and what follows it, of each segment up to the image data."""
    at = 2
    while at + 4 <= len(content):
        if content[at] != 0xFF:
            raise ValueError("a marker is missing")
        marker = content[at + 1]
        if marker == 0xFF:  # a fill byte
            at += 1
            continue
        end = at + 2 + int.from_bytes(content[at + 2 : at + 4])
        yield marker, content[at:end], content[end:] if marker == _SOS else b""
        at = end


def _strip_png(content: bytes) -> bytes:
    parts, at = [_PNG_SIGNATURE], 8
    orientation = _orientation(content)
    while at + 12 <= len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        kind, chunk = content[at + 4 : at + 8], content[at : at + 12 + length]
        if kind == b"IDAT" and orientation != 1 and not any(part[4:8] == b"eXIf" for part in parts):
            parts.append(_png_chunk(b"eXIf", _exif(orientation)))
        if kind in _PNG_KEPT:
            parts.append(chunk)
        at += 12 + length
        if kind == b"IEND":
            return b"".join(parts)
    raise ValueError("the file ends early")


def _as_png(content: bytes) -> bytes:
    """Any other format: its first frame, losslessly."""
    with Image.open(io.BytesIO(content)) as image:
        if image.width * image.height > _MAX_PIXELS:
            raise ValueError("too many pixels")
        orientation = image.getexif().get(_ORIENTATION, 1)
        profile = image.info.get("icc_profile")
        plain = image.convert("RGB") if image.mode not in ("L", "RGB", "I;16") else image
        exif = Image.Exif()
        exif[_ORIENTATION] = orientation
        buffer = io.BytesIO()
        plain.save(buffer, "PNG", exif=exif if orientation != 1 else None, icc_profile=profile)
    return buffer.getvalue()


def _orientation(content: bytes) -> int:
    with Image.open(io.BytesIO(content)) as image:  # reads the header alone
        value = image.getexif().get(_ORIENTATION, 1)
    return value if value in range(1, 9) else 1


def _exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    return exif.tobytes().removeprefix(b"Exif\0\0")


def _orientation_segment(orientation: int) -> list[bytes]:
    if orientation == 1:
        return []
    payload = b"Exif\0\0" + _exif(orientation)
    return [b"\xff\xe1" + struct.pack(">H", len(payload) + 2) + payload]


def _png_chunk(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload)) + kind + payload + struct.pack(">I", zlib.crc32(kind + payload))
