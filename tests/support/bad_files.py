"""Bad files of many kinds: each function returns the bytes of one, or makes it at a path."""

from __future__ import annotations

import os
import socket
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image

from tests.support.photo_folder import encoded, picture

GOOD = picture(1, 120, 90)
JPEG = encoded(GOOD)
PNG = encoded(GOOD, "PNG")


def png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_claiming(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG whose header claims a size that its data does not hold."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(png_chunk(*chunk) for chunk in chunks)


def png_bomb() -> bytes:
    """12,000 x 12,000 black pixels in half a megabyte."""
    return png_claiming(12_000, 12_000, bytes((12_000 * 3 + 1) * 12_000))


def png_with_bad_checksum() -> bytes:
    at = PNG.index(b"IDAT") + 20
    return PNG[:at] + bytes([PNG[at] ^ 0xFF]) + PNG[at + 1 :]


def jpeg_with_bad_exif() -> bytes:
    """A sound photo whose EXIF block is noise, with an orientation nobody can read."""
    noise = b"Exif\x00\x00" + b"II*\x00\xff\xff\xff\x7f" + os.urandom(40)
    return JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(noise) + 2) + noise + JPEG[2:]


def jpeg_turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(GOOD, exif=exif)


def deep(form: str) -> bytes:
    """16 bit grey."""
    grey = np.linspace(0, 65535, 90 * 120).reshape(90, 120).astype(np.uint16)
    return encoded(Image.fromarray(grey), form)


def float_tiff() -> bytes:
    values = np.linspace(0, 1, 90 * 120, dtype=np.float32).reshape(90, 120)
    values[0, 0] = np.nan
    return encoded(Image.fromarray(values), "TIFF")


def palette_with_alpha() -> bytes:
    return encoded(GOOD.convert("P", palette=Image.Palette.ADAPTIVE), "PNG", transparency=0)


def animated(form: str) -> bytes:
    frames = [picture(seed, 120, 90) for seed in (2, 3)]
    return encoded(GOOD, form, save_all=True, append_images=frames, duration=50)


def make_fifo(path: Path) -> None:
    os.mkfifo(path)


def make_socket(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # a socket's name may have 108 bytes only
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path.name)
    finally:
        os.chdir(here)


def make_sparse(path: Path) -> None:
    """65 MiB of nothing after a JPEG: more than the 64 allowed."""
    path.write_bytes(JPEG)
    os.truncate(path, 65 * 2**20)
