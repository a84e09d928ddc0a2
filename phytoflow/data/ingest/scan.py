"""Reads every photo of a folder once, into a table."""

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

from phytoflow.data.images.color import describe_profile, profile_of
from phytoflow.data.images.decode import open_photo, read_photo
from phytoflow.data.images.depth import measure_depth
from phytoflow.data.images.limits import LimitNames, Limits
from phytoflow.data.ingest.file_names import is_photo_name
from phytoflow.data.ingest.labels import NO_CLASS_FOLDER, NOT_LABELLED, Labels
from phytoflow.data.ingest.validate import UNSUPPORTED
from phytoflow.data.ingest.walk import (
    HIDDEN,
    LAYOUT_REMEDY,
    LINK_LOOP,
    LINK_REPEATED,
    SPECIAL_FILE,
    FoundFile,
    walk,
)
from phytoflow.data.settings import DataSettings
from phytoflow.errors import DataError, PhotoError
from phytoflow.system.progress import track
from phytoflow.system.threads import thread_map

NOT_A_PHOTO = "not a photo"
_LIMIT_NAMES = LimitNames("data.max_bytes", "data.max_pixels", "data.min_side")
# Nobody meant these as photos to train on; everything else that is not used was refused.
_SKIPPED = frozenset(
    {HIDDEN, LINK_LOOP, LINK_REPEATED, SPECIAL_FILE, NO_CLASS_FOLDER, NOT_LABELLED, NOT_A_PHOTO}
)
THUMBNAIL_SIDE = 16  # pixels; enough to confirm near-duplicates and to see where a series changes
_HASHED_SIDE = 128  # JPEGs are decoded at about this size: several times faster, the same hash
_SUFFIXES = {
    "JPEG": {".jpg", ".jpeg", ".jpe", ".jfif"},
    "MPO": {".jpg", ".jpeg", ".mpo"},
    "PNG": {".png", ".apng"},
    "WEBP": {".webp"},
    "TIFF": {".tif", ".tiff"},
    "BMP": {".bmp", ".dib"},
    "HEIF": {".heic", ".heif", ".hif"},
    "AVIF": {".avif"},
}


@dataclass(frozen=True)
class PhotoRow:
    """One row of the table; what is unknown of a file that is not used is zero or empty.

    Attributes:
        path: POSIX path relative to the root.
        label: Class; empty for a file without one.
        part: The split that the folders give the photo; empty if they give none.
        file: The path to open.
        reason: Why the file is not used; empty for a usable photo.
        skipped: Whether the file was passed over and not refused.
        files: Files that the row stands for; more than one for a hidden folder.
        outside: Whether it was reached through a link that leads out of the root.
        format: ``JPEG``, ``PNG``, ... by content.
        width: Pixels, upright.
        height: Pixels, upright.
        bytes: Size of the file.
        sha256: Checksum of the file's content.
        phash: 64-bit perceptual hash, 16 hexadecimal digits.
        brightness: Mean luminance, 0 to 1.
        animated: Whether only its first frame is used.
        misnamed: Whether its name ends as another format's does.
        profile: Colour profile other than sRGB, which is converted; ``unreadable`` if it is ignored; empty if
            there is none.
        used_bits: Bits of the samples in a file of more than 8 bits a sample; 0 for other files.
        stated_bits: Bits that the file states; 0 if it states none.
        thumbnail: The photo at 16 x 16, RGB bytes.
    """

    path: str
    label: str
    part: str
    file: str
    reason: str = ""
    skipped: bool = False
    files: int = 1
    outside: bool = False
    format: str = ""
    width: int = 0
    height: int = 0
    bytes: int = 0
    sha256: str = ""
    phash: str = ""
    brightness: float = 0.0
    animated: bool = False
    misnamed: bool = False
    profile: str = ""
    used_bits: int = 0
    stated_bits: int = 0
    thumbnail: builtins.bytes = b""


def limits_of(settings: DataSettings) -> Limits:
    """The limits of a photo that the settings name."""
    return Limits(settings.max_bytes, settings.max_pixels, settings.min_side, _LIMIT_NAMES)


def scan(root: Path, labels: Labels, settings: DataSettings) -> pd.DataFrame:
    """Reads every file below ``root``; what is wrong with one is its ``reason``.

    Args:
        root: The folder of photos.
        labels: The class of each file.
        settings: Limits and threads.

    Returns:
        One row a file (the fields of ``PhotoRow``), sorted by path; one row for a hidden folder.

    Raises:
        DataError: ``root`` is not a folder, or holds no files.
    """
    entries = (entry for entry in walk(root) if entry.files)
    read = partial(_read_row, labels=labels, limits=limits_of(settings))
    rows = track(thread_map(read, entries, settings.threads), "Reading photos", total=labels.entries)
    table = pd.DataFrame([asdict(row) for row in rows], columns=list(PhotoRow.__dataclass_fields__))
    if table.empty:
        raise DataError(f"{root} holds no files", remedy=LAYOUT_REMEDY)
    return table.sort_values("path", ignore_index=True)


def _read_row(entry: FoundFile, labels: Labels, limits: Limits) -> PhotoRow:
    """Reads one file; never raises for what is wrong with it."""
    label, part, reason = labels.of(entry)
    row = PhotoRow(entry.path, label, part, str(entry.file), reason, files=entry.files, outside=entry.outside)
    row = row if reason else _open(row, entry.file, limits)
    other = row.reason and not reason and not row.reason.startswith("unreadable")
    if other and not is_photo_name(entry.file.name):
        row = replace(row, reason=NOT_A_PHOTO)  # a text among the photos needs no diagnosis
    return replace(row, skipped=row.reason in _SKIPPED)


def _open(row: PhotoRow, file: Path, limits: Limits) -> PhotoRow:
    try:
        size = file.stat().st_size
        if size > limits.max_bytes:  # known by its size alone: a huge file is not read
            return replace(row, bytes=size, reason="too_many_bytes")
        content = file.read_bytes()
    except OSError as error:
        return replace(row, reason=f"unreadable: {error.strerror}")
    row = replace(row, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    try:
        return replace(row, **_measure(content, file.suffix, limits))
    except PhotoError as error:
        return replace(row, reason=_reason_of(error))


def _reason_of(error: PhotoError) -> str:
    """The reason; of a format that is not read with its name."""
    return f"{error.reason}: {error.message}" if error.reason == UNSUPPORTED else error.reason


def measure_look(content: bytes, limits: Limits) -> tuple[str, bytes]:
    """Perceptual hash and thumbnail of a photo, as in its row of the table.

    Raises:
        PhotoError: It cannot be used.
    """
    image, _ = read_photo(content, limits, size_hint=_HASHED_SIDE)
    return str(imagehash.phash(image)), _thumbnail(image).tobytes()


def _thumbnail(image: Image.Image) -> Image.Image:
    return image.resize((THUMBNAIL_SIDE, THUMBNAIL_SIDE), Image.Resampling.BOX)


def _measure(content: bytes, suffix: str, limits: Limits) -> dict[str, Any]:
    """Decodes one photo and measures it; raises PhotoError."""
    header = open_photo(content, limits)
    image, (width, height) = read_photo(content, limits, size_hint=_HASHED_SIDE)
    depth = measure_depth(open_photo(content, limits), content)
    thumbnail = _thumbnail(image)
    return {
        "format": header.format or "",
        "width": width,
        "height": height,
        "phash": str(imagehash.phash(image)),
        "brightness": round(float(np.asarray(thumbnail.convert("L")).mean()) / 255, 4),
        "animated": header.format != "MPO" and getattr(header, "n_frames", 1) > 1,
        "misnamed": suffix.lower() not in _SUFFIXES.get(header.format or "", set()),
        "profile": describe_profile(header, profile_of(header)),
        "used_bits": depth.used,
        "stated_bits": depth.stated,
        "thumbnail": thumbnail.tobytes(),
    }
