"""Writes the photos of a dataset: those of training resized, the others as they came."""

from __future__ import annotations

import hashlib
import io
import logging
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from phytoflow.data.images.decode import open_photo
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.images.limits import Limits
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.ingest.remote import reading_threads
from phytoflow.data.ingest.scan import limits_of
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import DatasetSummary
from phytoflow.data.shards.writer import write_index, write_shards
from phytoflow.data.splits import SPLITS
from phytoflow.errors import DataError, StorageError
from phytoflow.storage.uri import is_local, read_bytes
from phytoflow.system.progress import track
from phytoflow.system.threads import thread_map

_LOG = logging.getLogger(__name__)


def write_photos(table: pd.DataFrame, summary: DatasetSummary, settings: DataSettings, folder: Path) -> None:
    """Writes the shards of all splits and their index; a few photos are in memory at a time.

    Args:
        table: The photos with ``file``, ``sha256``, ``label``, ``group`` and ``split``.
        summary: Classes, preprocessing and seed.
        settings: Limits, threads and size of shards.
        folder: Folder of the dataset.

    Raises:
        DataError: A photo is no longer the one that was checked.
        StorageError: The store cannot be read, or the folder not be written.
    """
    label_index = {label: number for number, label in enumerate(summary.classes)}
    limits, entries = limits_of(settings), []
    for split in SPLITS:
        rows = table[table["split"] == split]
        if split == "train":  # the loader shuffles within a few shards only: mix the whole set here
            rows = rows.sample(frac=1, random_state=np.random.default_rng(summary.seed))
        read = partial(_read_photo, limits=limits, resize=summary.preprocessing if split == "train" else None)
        sources = map(_Source._make, rows[list(_Source._fields)].itertuples(index=False, name=None))
        threads = reading_threads(settings.threads, next(iter(rows["file"]), ""))
        photos = thread_map(read, sources, threads)
        tracked = track(photos, f"Writing {split} photos", total=len(rows))
        entries += write_shards(split, tracked, label_index, folder, settings.shard_bytes)
    write_index(folder, entries)


class _Source(NamedTuple):
    """A photo to be read again, and the checksum that it must have."""

    file: str
    path: str
    label: str
    group: str
    sha256: str


def _read_photo(source: _Source, limits: Limits, resize: Preprocessing | None) -> LabelledPhoto:
    """Reads a photo again; raises DataError if it is no longer the one that was checked."""
    try:
        content = read_bytes(source.file)
    except StorageError as error:
        if not is_local(source.file):
            raise
        content = b""
        _LOG.debug("%s", error)
    if hashlib.sha256(content).hexdigest() != source.sha256:
        what = f"{source.path} changed or vanished while the photos were being prepared"
        raise DataError(what, remedy="run again when nothing else writes to the folder")
    content = shrink_photo(content, resize, limits) if resize else content
    return LabelledPhoto(source.path, source.label, source.group, content)


def shrink_photo(content: bytes, preprocessing: Preprocessing, limits: Limits) -> bytes:
    """Reduces a photo to the shorter side that the preprocessing needs; a smaller one stays as it is.

    Returns:
        A JPEG of quality 95 without chroma subsampling, or ``content`` itself.
    """
    if min(open_photo(content, limits).size) <= preprocessing.resize_size:
        return content
    image = preprocessing.resize(preprocessing.open(content, limits))
    smaller = io.BytesIO()
    image.save(smaller, "JPEG", quality=95, subsampling=0)
    return smaller.getvalue()
