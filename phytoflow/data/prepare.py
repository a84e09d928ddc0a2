"""From a folder of photos to the dataset folder that training, evaluation and export read."""

from __future__ import annotations

import csv
import hashlib
import json
import logging
from pathlib import Path

import pandas as pd

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.ingest.inspect import CheckedPhotos
from phytoflow.data.ingest.scan import limits_of
from phytoflow.data.parts.scanned import Scanned
from phytoflow.data.photo_writer import write_photos
from phytoflow.data.report.page import render_data_page
from phytoflow.data.sample_depth import find_sample_bits
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import SUMMARY_FILE, TABLE_FILE, DatasetSummary
from phytoflow.data.sources.open import open_source
from phytoflow.data.splits import SPLITS
from phytoflow.storage.atomic import atomic_folder
from phytoflow.storage.uri import base_name

CLASS_MAPPING_FILE = "class_mapping.json"
FINDINGS_FILE = "findings.json"
PAGE_FILE = "data.html"
_COLUMNS = ["path", "label", "group", "split", "reason", "files", "format", "width", "height", "bytes"]
_COLUMNS += ["sha256", "phash", "brightness"]
_LOG = logging.getLogger(__name__)


def prepare(
    source: str,
    settings: DataSettings,
    preprocessing: Preprocessing,
    seed: int,
    output: Path,
    scanned: Scanned | None = None,
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
        scanned: Parts of the photos that were scanned before, or a folder for them; None: a folder next to
            ``output``.

    Raises:
        DataError: Training on these photos would be meaningless.
        StorageError: The source cannot be read, or the output not be written.
    """
    scanned = scanned or Scanned(folder=output.with_name(f".{output.name}.parts"))
    with open_source(source, output.parent, seed, copy=scanned.in_one_go(settings)) as root:
        checked = scanned.check(source, root, settings, seed)
        for line in checked.findings.lines():
            _LOG.info("%s", line)
        summary = summarise(checked.table, preprocessing, seed, base_name(source))
        with atomic_folder(output) as folder:
            write_findings(checked, seed, settings, folder)
            _write_summary(summary, folder)
            write_photos(checked.table, summary, settings, folder)
    scanned.clear()
    return summary


def summarise(table: pd.DataFrame, preprocessing: Preprocessing, seed: int, name: str) -> DatasetSummary:
    """Says what a dataset holds.

    Args:
        table: From ``check``.
        preprocessing: Training photos are resized for this.
        seed: Of the split.
        name: Of the data set, for people.
    """
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
