"""A log of predictions: a folder of photos, a file of `phytoflow predict`, or the gateway's database."""

from __future__ import annotations

import csv
import json
import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from phytoflow.bundle.bundle import Bundle
from phytoflow.cli.photos.inputs import InputFile, list_files
from phytoflow.data.images.limits import Limits
from phytoflow.errors import ConfigError, DataError, PhotoError
from phytoflow.inference.classifier import Classifier
from phytoflow.monitoring.observations import Observations, observe
from phytoflow.ood.feature_statistics import FeatureStatistics
from phytoflow.system.batches import batched

Part = tuple[Observations, list[str]]
"""Photos in order, and the name of each."""
_BATCH = 8
_ROWS = 1000
_LOG = logging.getLogger(__name__)


def read_log(log: str, bundle: Bundle, statistics: FeatureStatistics | None) -> Iterator[Part]:
    """Yields the photos of a log in order, batch by batch.

    Args:
        log: Folder of photos, ``.csv``, ``.json`` or ``.jsonl`` file, or SQLAlchemy URL of a gateway's
            database.
        bundle: The bundle that answered; photos of a folder are classified with it.
        statistics: Its feature statistics.

    Raises:
        ConfigError: There is no such log, or its format is not known.
        DataError: A file is damaged, or names classes that the bundle does not have.
    """
    if "://" in log:
        from phytoflow.cli.drift.database import read_database

        return read_database(log, bundle, statistics)
    path = Path(log)
    if path.is_dir():
        return _classify(path, bundle, statistics)
    if not path.is_file():
        remedy = "give a folder of photos, a file or a database URL"
        raise ConfigError(f"there is no log {log}", remedy=remedy)
    readers = {".csv": _csv_rows, ".json": _json_rows, ".jsonl": _json_line_rows}
    if path.suffix.lower() not in readers:
        raise ConfigError(f"{log} is of no known format", remedy=f"give one of {', '.join(readers)}")
    rows = (row for row in readers[path.suffix.lower()](path) if not row.get("error"))
    return (_to_observations(part, bundle, statistics, str(path)) for part in batched(rows, _ROWS))


def _to_observations(
    rows: Sequence[dict[str, Any]], bundle: Bundle, statistics: FeatureStatistics | None, place: str
) -> Part:
    """Rows with ``path``, ``label``, ``score`` and, with OOD detection, ``novelty``.

    Raises:
        DataError: A row lacks a value, or names a class that the bundle does not have.
    """
    classes = {name: index for index, name in enumerate(bundle.manifest.classes)}
    try:
        label = np.array([classes[row["label"]] for row in rows], np.int64)
        confidence = np.array([_probability(row["score"]) for row in rows], np.float32)
        novelty = np.array([float(row.get("novelty") or "nan") for row in rows], np.float32)
    except (KeyError, ValueError, TypeError) as error:
        what = f"{place} holds no predictions of {bundle.path}: {error}"
        raise DataError(what, remedy="give the bundle that made them") from error
    return observe(label, confidence, novelty, None, statistics), [str(row.get("path", "")) for row in rows]


def _probability(value: Any) -> float:
    """A score as a number from 0 to 1; raises ValueError, or TypeError if there is none."""
    if not 0 <= (score := float(value)) <= 1:
        raise ValueError(f"{value!r} is no probability")
    return score


def _classify(folder: Path, bundle: Bundle, statistics: FeatureStatistics | None) -> Iterator[Part]:
    classifier = Classifier.load(bundle.path)
    photos = (entry for entry in list_files([folder]) if not entry.skipped)
    for batch in batched(photos, _BATCH):
        readable = [(entry, tensor) for entry in batch if (tensor := _decode(entry, classifier)) is not None]
        if not readable:
            continue
        outputs = classifier.outputs(np.stack([tensor for _, tensor in readable]))
        answers = classifier.to_predictions(outputs)
        label, confidence = answers.probabilities.argmax(axis=1), answers.probabilities.max(axis=1)
        features = None if outputs.features is None else outputs.features.astype(np.float16)
        seen = observe(label, confidence, answers.novelty, features, statistics)
        yield seen, [str(entry.file) for entry, _ in readable]


def _decode(entry: InputFile, classifier: Classifier) -> Any:
    preprocessing = classifier.bundle.manifest.preprocessing
    try:
        Limits().check_bytes(entry.file.stat().st_size)
        pixels = preprocessing.decode(entry.file.read_bytes())
    except (PhotoError, OSError) as error:
        _LOG.warning("%s is left out: %s", entry.path, error)
        return None
    return preprocessing.normalise(pixels[None])[0]


def _csv_rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            yield from csv.DictReader(file)
    except (ValueError, csv.Error) as error:
        raise DataError(f"{path} is not a table of predictions: {error}") from error


def _json_rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        yield from map(_flatten, json.loads(path.read_text(encoding="utf-8")))
    except (ValueError, AttributeError, TypeError) as error:
        raise DataError(f"{path} is not a list of predictions: {error}") from error


def _json_line_rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield _flatten(json.loads(line))
            except (ValueError, AttributeError) as error:
                raise DataError(f"{path}, line {number}, is not a prediction: {error}") from error


def _flatten(record: dict[str, Any]) -> dict[str, Any]:
    """A record of `phytoflow predict`: the first class and its score under the names of the CSV file."""
    labels, scores = record.get("labels") or [None], record.get("scores") or ["nan"]
    return record | {"label": labels[0], "score": scores[0]}
