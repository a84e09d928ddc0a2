"""Reading every photo of a class-folder tree once, into a table."""

from __future__ import annotations

import builtins
import hashlib
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import imagehash
import numpy as np
import pandas as pd
from PIL import Image

from phytoflow.data.images.decode import Limits, decode, open_photo
from phytoflow.data.ingest.walk import FoundFile, walk
from phytoflow.data.settings import DataSettings
from phytoflow.errors import PhotoError
from phytoflow.system.progress import track
from phytoflow.system.threads import thread_map

THUMBNAIL_SIDE = 16
_HASHED_SIDE = 128  # JPEGs are decoded at about this size: several times faster, the same hash
_EXIF_ORIENTATION = 0x0112
_SUFFIXES = {
    "JPEG": {".jpg", ".jpeg", ".jpe", ".jfif"},
    "MPO": {".jpg", ".jpeg", ".mpo"},
    "PNG": {".png", ".apng"},
    "WEBP": {".webp"},
    "TIFF": {".tif", ".tiff"},
    "BMP": {".bmp", ".dib"},
}


@dataclass(frozen=True)
class PhotoRow:
    """One row of the table; what could not be learnt of an unusable file is zero or empty.

    Attributes:
        path: POSIX path relative to the root.
        label: Class, the first-level folder.
        file: The path to open.
        reason: Why the file is not used; empty for a usable photo.
        format: ``JPEG``, ``PNG``, ... by content.
        width: Pixels, upright.
        height: Pixels, upright.
        bytes: Size of the file.
        sha256: Of the file's content.
        phash: 64 bit perceptual hash, 16 hexadecimal digits.
        brightness: Mean luminance, 0 to 1.
        animated: Whether only its first frame is used.
        misnamed: Whether its name ends as another format's does.
        thumbnail: The photo at 16 x 16, RGB bytes.
    """

    path: str
    label: str
    file: str
    reason: str = ""
    format: str = ""
    width: int = 0
    height: int = 0
    bytes: int = 0
    sha256: str = ""
    phash: str = ""
    brightness: float = 0.0
    animated: bool = False
    misnamed: bool = False
    thumbnail: builtins.bytes = b""


def limits_of(settings: DataSettings) -> Limits:
    """What a photo of a data set may cost."""
    return Limits(settings.max_bytes, settings.max_pixels, settings.min_side)


def scan(root: Path, settings: DataSettings) -> pd.DataFrame:
    """Reads every file below ``root``; whatever is wrong with one is said in its ``reason``.

    Args:
        root: A folder with one sub-folder a class.
        settings: Limits and threads.

    Returns:
        One row a file (the fields of ``PhotoRow``), sorted by path.

    Raises:
        DataError: ``root`` is no folder, or holds no files.
    """
    found = walk(root)
    read = partial(read_row, limits=limits_of(settings))
    rows = track(thread_map(read, found, settings.threads), "Reading photos", total=len(found))
    return pd.DataFrame([asdict(row) for row in rows], columns=list(PhotoRow.__dataclass_fields__))


def read_row(found: FoundFile, limits: Limits) -> PhotoRow:
    """Reads one file; never raises for what is wrong with it."""
    row = PhotoRow(found.path, found.label, str(found.file), found.reason)
    if row.reason:
        return row
    try:
        size = found.file.stat().st_size
        if size > limits.max_bytes:  # said by its size alone: a huge file is not read
            return replace(row, bytes=size, reason="too_many_bytes")
        content = found.file.read_bytes()
    except OSError as error:
        return replace(row, reason=f"unreadable: {error.strerror}")
    row = replace(row, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    try:
        return replace(row, **_measure(content, found.file.suffix, limits))
    except PhotoError as error:
        return replace(row, reason=error.reason)


def _measure(content: bytes, suffix: str, limits: Limits) -> dict[str, Any]:
    """Decodes one photo and measures it; raises PhotoError."""
    header = open_photo(content, limits)
    width, height = header.size
    if _turned(header):
        width, height = height, width
    image = decode(content, limits, size_hint=_HASHED_SIDE)
    thumbnail = image.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BOX)
    return {
        "format": header.format or "",
        "width": width,
        "height": height,
        "phash": str(imagehash.phash(image)),
        "brightness": round(float(np.asarray(thumbnail.convert("L")).mean()) / 255, 4),
        "animated": header.format != "MPO" and getattr(header, "n_frames", 1) > 1,
        "misnamed": suffix.lower() not in _SUFFIXES.get(header.format or "", set()),
        "thumbnail": thumbnail.tobytes(),
    }


def _turned(header: Image.Image) -> bool:
    try:
        return header.getexif().get(_EXIF_ORIENTATION) in (5, 6, 7, 8)
    except Exception:  # damaged EXIF: decode() leaves such a photo as it was stored, too
        return False
