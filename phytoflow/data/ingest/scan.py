"""Reads every photo of a folder once, into a table."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
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
from phytoflow.data.ingest.photo_row import PhotoRow
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
    table = read_table(walk(root), labels, settings, labels.entries)
    return order_rows([table], root)


def read_table(
    entries: Iterable[FoundFile], labels: Labels, settings: DataSettings, total: int
) -> pd.DataFrame:
    """Reads some files; what is wrong with one is its ``reason``.

    Args:
        entries: The files.
        labels: The class of each file.
        settings: Limits and threads.
        total: How many there are, for the progress bar.

    Returns:
        One row a file in the order of ``entries``; none for an empty folder.
    """
    read = partial(_read_row, labels=labels, limits=limits_of(settings))
    rows = thread_map(read, (entry for entry in entries if entry.files), settings.threads)
    tracked = track(rows, "Reading photos", total=total)
    return pd.DataFrame([vars(row) for row in tracked], columns=list(PhotoRow.__dataclass_fields__))


def order_rows(tables: Sequence[pd.DataFrame], root: Path | str) -> pd.DataFrame:
    """Puts the rows of all files together, sorted by path.

    Args:
        tables: From ``read_table``; together they have one row for each file.
        root: Where the photos are, for the message.

    Raises:
        DataError: There are no files.
    """
    filled = [table for table in tables if len(table)]
    if not filled:
        raise DataError(f"{root} holds no files", remedy=LAYOUT_REMEDY)
    table = filled[0] if len(filled) == 1 else pd.concat(filled, ignore_index=True)
    return table.sort_values("path", ignore_index=True)


def _read_row(entry: FoundFile, labels: Labels, limits: Limits) -> PhotoRow:
    """Reads one file; never raises for what is wrong with it."""
    label, part, reason = labels.of(entry)
    row = PhotoRow(entry.path, label, part, entry.location, reason, files=entry.files, outside=entry.outside)
    row = row if reason else _open(row, entry, limits)
    other = row.reason and not reason and not row.reason.startswith("unreadable")
    if other and not is_photo_name(entry.file.name):
        row = replace(row, reason=NOT_A_PHOTO)  # a text among the photos needs no diagnosis
    return replace(row, skipped=row.reason in _SKIPPED)


def _open(row: PhotoRow, entry: FoundFile, limits: Limits) -> PhotoRow:
    try:
        size = entry.size()
        if size > limits.max_bytes:  # known by its size alone: a huge file is not read
            return replace(row, bytes=size, reason="too_many_bytes")
        content = entry.read()
    except OSError as error:
        return replace(row, reason=f"unreadable: {error.strerror}")
    row = replace(row, bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    try:
        return replace(row, **_measure(content, entry.file.suffix, limits))
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
