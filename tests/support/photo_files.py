"""Photo files that Pillow does not write: HEIC, 16 bits a sample in colour, depths that a file states."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
import pillow_heif
from PIL import Image

from phytoflow.data.images.icc import ADOBE_RGB, DISPLAY_P3, RgbSpace, write_profile
from tests.support.bad_files import png_chunk

# ROMM RGB's primaries lie outside of what eyes see; its white is D50 (ISO 22028-2).
PROPHOTO_RGB = RgbSpace(
    "ProPhoto RGB", (0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001), gamma=1.8, white=(0.3457, 0.3585)
)
PROFILES = {space.name: write_profile(space) for space in (DISPLAY_P3, ADOBE_RGB, PROPHOTO_RGB)}


def heic(image: Image.Image, orientation: int = 1, **options: Any) -> bytes:
    """A HEIC photo by a real encoder (x265); turned by ``irot`` and ``imir`` as the EXIF orientation says."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, **{"quality": 90, "exif": exif.tobytes(), **options})
    return buffer.getvalue()


def png_16(samples: np.ndarray, significant_bits: int | None = None) -> bytes:
    """A PNG of 16 bits a sample, from uint16 [H, W] or [H, W, 2, 3 or 4]; perhaps with the chunk ``sBIT``."""
    samples = samples[..., None] if samples.ndim == 2 else samples
    height, width, channels = samples.shape
    rows = samples.astype(">u2").reshape(height, -1).view(np.uint8)
    filtered = np.concatenate([np.zeros((height, 1), np.uint8), rows], axis=1)  # filter 0: none
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))]
    if significant_bits:
        chunks.append((b"sBIT", bytes([significant_bits] * channels)))
    chunks += [(b"IDAT", zlib.compress(filtered.tobytes())), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def tiff_16(
    samples: np.ndarray, order: str = "<", deflate: bool = False, **tags: int | tuple[int, ...]
) -> bytes:
    """A TIFF of 16 bits a sample in one strip, from uint16 [H, W] or [H, W, 3 or 4].

    Args:
        samples: The picture.
        order: ``<`` or ``>``.
        deflate: Whether to compress it.
        tags: More tags, or others than usual, by number: ``t281=4095``.
    """
    samples = samples[..., None] if samples.ndim == 2 else samples
    height, width, channels = samples.shape
    body = samples.astype(f"{order}u2").tobytes()
    body = zlib.compress(body) if deflate else body
    entries: dict[int, tuple[int, ...]] = {
        **{256: (width,), 257: (height,), 258: (16,) * channels, 259: (8 if deflate else 1,)},
        **{262: (1 if channels == 1 else 2,), 273: (8,), 277: (channels,), 278: (height,)},
        279: (len(body),),
    }
    for name, value in tags.items():
        entries[int(name[1:])] = value if isinstance(value, tuple) else (value,)
    start = 8 + len(body) + len(body) % 2
    directory, extra = struct.pack(f"{order}H", len(entries)), b""
    extra_at = start + 2 + 12 * len(entries) + 4
    for tag, values in sorted(entries.items()):
        long = max(values) > 65535
        packed = struct.pack(f"{order}{len(values)}{'I' if long else 'H'}", *values)
        if len(packed) > 4:
            packed, extra = struct.pack(f"{order}I", extra_at + len(extra)), extra + packed
        directory += struct.pack(f"{order}HHI", tag, 4 if long else 3, len(values)) + packed.ljust(4, b"\0")
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", start)
    return head + body.ljust(start - 8, b"\0") + directory + bytes(4) + extra
