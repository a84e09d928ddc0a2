"""From a folder of photos to the dataset folder that training, evaluation and export read."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

from phytoflow.data.images.decode import open_photo
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.images.limits import Limits
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.ingest.inspect import CheckedPhotos, check
from phytoflow.data.ingest.scan import limits_of
from phytoflow.data.report.page import render_data_page
from phytoflow.data.sample_depth import find_sample_bits
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import SUMMARY_FILE, TABLE_FILE, DatasetSummary
from phytoflow.data.shards.writer import write_index, write_shards
from phytoflow.data.sources.resolve import SAMPLE, localise_source
from phytoflow.data.splits import SPLITS
from phytoflow.errors import DataError
from phytoflow.storage.atomic import atomic_folder
from phytoflow.storage.temporary import temporary_folder
from phytoflow.storage.uri import base_name, is_local, local_path
from phytoflow.system.progress import track
from phytoflow.system.threads import thread_map

CLASS_MAPPING_FILE = "class_mapping.json"
FINDINGS_FILE = "findings.json"
PAGE_FILE = "data.html"
_COLUMNS = ["path", "label", "group", "split", "reason", "files", "format", "width", "height", "bytes"]
_COLUMNS += ["sha256", "phash", "brightness"]
_LOG = logging.getLogger(__name__)


def prepare(
    source: str, settings: DataSettings, preprocessing: Preprocessing, seed: int, output: Path
) -> DatasetSummary:
    """Writes the dataset folder: table, findings, page, class mapping and shards; whole or not at all.

    Training photos are resized once. Photos of validation and test stay as they came, so that every metric
    is measured on what a predictor would be sent.

    Args:
        source: Folder with one sub-folder a class; a path or a URI.
        settings: Labels, limits, groups, shares and size of shards.
        preprocessing: Training photos are resized for this; the depth of the photos' samples is added to it.
        seed: Seed of the split and of the training photos' order in the shards.
        output: The folder to write; what is there is replaced.

    Raises:
        DataError: Training on these photos would be meaningless.
        StorageError: The source cannot be read, or the output not be written.
    """
    with _open_source(source, output.parent, seed) as root:
        checked = check(root, settings, seed)
        for line in checked.findings.lines():
            _LOG.info("%s", line)
        summary = _summarise(checked.table, preprocessing, seed, base_name(source))
        with atomic_folder(output) as folder:
            write_findings(checked, seed, settings, folder)
            _write_summary(summary, folder)
            _write_photos(checked.table, summary, settings, folder)
    return summary


@contextmanager
def _open_source(source: str, work: Path, seed: int) -> Iterator[Path]:
    """The source as a local folder; photos from elsewhere are in ``work`` for as long as they are needed."""
    if is_local(source) and source != SAMPLE:
        yield local_path(source)
        return
    with temporary_folder(work) as folder:
        yield localise_source(source, folder, seed)


def _summarise(table: pd.DataFrame, preprocessing: Preprocessing, seed: int, name: str) -> DatasetSummary:
    used = table[table["split"] != "excluded"]
    return DatasetSummary(
        data_hash=data_hash(table),
        classes=tuple(sorted(used["label"].unique())),
        counts={split: _counts(used[used["split"] == split]) for split in SPLITS},
        groups={split: int(used.loc[used["split"] == split, "group"].nunique()) for split in SPLITS},
        seed=seed,
        preprocessing=preprocessing.model_copy(update={"sample_bits": find_sample_bits(used)}),
        name=name,
    )


def _counts(rows: pd.DataFrame) -> dict[str, int]:
    return {
        str(label): int(count) for label, count in rows["label"].value_counts(sort=False).sort_index().items()
    }


def data_hash(table: pd.DataFrame) -> str:
    """SHA-256 over path, label, content and split of the photos used, sorted by path."""
    used = table.loc[table["split"] != "excluded", ["path", "label", "sha256", "split"]]
    rows = sorted(used.itertuples(index=False, name=None))
    return hashlib.sha256(json.dumps(rows, ensure_ascii=True).encode()).hexdigest()


def write_findings(checked: CheckedPhotos, seed: int, settings: DataSettings, folder: Path) -> None:
    """Writes ``findings.json``, the table ``photos.csv`` and the page ``data.html``."""
    (folder / FINDINGS_FILE).write_text(checked.findings.model_dump_json(indent=2), encoding="utf-8")
    # All text in quotes: otherwise a name with a carriage return would end its row.
    checked.table[_COLUMNS].to_csv(folder / TABLE_FILE, index=False, quoting=csv.QUOTE_NONNUMERIC)
    page = render_data_page(checked.table, checked.findings, checked.near, seed, limits_of(settings))
    (folder / PAGE_FILE).write_text(page, encoding="utf-8")


def _write_summary(summary: DatasetSummary, folder: Path) -> None:
    (folder / SUMMARY_FILE).write_text(summary.model_dump_json(indent=2), encoding="utf-8")
    mapping = {str(number): label for number, label in enumerate(summary.classes)}
    text = json.dumps(mapping, indent=2, ensure_ascii=False)
    (folder / CLASS_MAPPING_FILE).write_text(text, encoding="utf-8")


def _write_photos(table: pd.DataFrame, summary: DatasetSummary, settings: DataSettings, folder: Path) -> None:
    label_index = {label: number for number, label in enumerate(summary.classes)}
    limits, entries = limits_of(settings), []
    for split in SPLITS:
        rows = table[table["split"] == split]
        if split == "train":  # the loader shuffles within a few shards only: mix the whole set here
            rows = rows.sample(frac=1, random_state=np.random.default_rng(summary.seed))
        read = partial(_read_photo, limits=limits, resize=summary.preprocessing if split == "train" else None)
        photos = thread_map(read, rows.to_dict("records"), settings.threads)
        tracked = track(photos, f"Writing {split} photos", total=len(rows))
        entries += write_shards(split, tracked, label_index, folder, settings.shard_bytes)
    write_index(folder, entries)


def _read_photo(row: dict[str, str], limits: Limits, resize: Preprocessing | None) -> LabelledPhoto:
    """Reads a photo again; raises DataError if it is no longer the one that was checked."""
    try:
        content = Path(row["file"]).read_bytes()
    except OSError as error:
        content = b""
        _LOG.debug("%s: %s", row["file"], error)
    if hashlib.sha256(content).hexdigest() != row["sha256"]:
        what = f"{row['path']} changed or vanished while the photos were being prepared"
        raise DataError(what, remedy="run again when nothing else writes to the folder")
    content = shrink_photo(content, resize, limits) if resize else content
    return LabelledPhoto(row["path"], row["label"], row["group"], content)


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
