"""The photos of the trials: a sample of training and validation photos, without any test photo."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytoflow.config.loader import resolve
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.dataset import SUMMARY_FILE, Dataset
from phytoflow.data.shards.writer import write_index, write_shards
from phytoflow.storage.atomic import atomic_folder
from phytoflow.training.engine.checkpoints import fingerprint

_SHARD_BYTES = 128 * 2**20
_HELD_OUT = 1 / 3
"""Largest share of a sample that is held out: few held-out photos tell no two trials apart."""


def write_sample(dataset: Dataset, photos: int, folder: Path) -> Dataset:
    """Writes the dataset of the trials, or opens the one that was written before.

    It holds no test photos. The sample has each class as often as the whole; a photo is in its own split.

    Args:
        dataset: The whole dataset.
        photos: Training and validation photos; 0 means all.
        folder: Folder of the new dataset.

    Raises:
        StorageError: The dataset cannot be read, or the folder not be written.
    """
    counts = _counts(dataset, photos)
    key = fingerprint(data=dataset.summary.data_hash, counts=counts)
    if (folder / SUMMARY_FILE).exists() and (sample := Dataset.open(folder)).summary.data_hash == key:
        return sample
    label_index = {label: number for number, label in enumerate(dataset.classes)}
    entries, labels = [], dict[str, dict[str, int]]()
    with atomic_folder(folder) as aside:
        for split, count in counts.items():
            rows = set(_draw(np.array(dataset.labels(split)), count, dataset.summary.seed).tolist())
            chosen = _select(dataset.photos(split), rows)
            entries += write_shards(split, chosen, label_index, aside, _SHARD_BYTES)
            drawn = [label for shard in entries if shard.split == split for label in shard.labels]
            labels[split] = {name: drawn.count(number) for name, number in label_index.items()}
        summary = dataset.summary.model_copy(
            update={"data_hash": key, "counts": labels | {"test": {}}, "groups": {}}
        )
        (aside / SUMMARY_FILE).write_text(summary.model_dump_json(indent=2), encoding="utf-8")
        write_index(aside, entries)
    return Dataset.open(folder)


def overrides_for_sample(overrides: SettingsOverrides, dataset: Dataset) -> SettingsOverrides:
    """The user's settings for trainings on a sample.

    A sample is cross-validated if the whole set is, and not because it has fewer photos.
    """
    photos = dataset.count("train") + dataset.count("validation")
    if photos <= resolve(overrides).training.cross_validate_below or not dataset.count("validation"):
        return overrides
    return overrides.merge(SettingsOverrides({"training": {"cross_validate_below": 0}}))


def _counts(dataset: Dataset, photos: int) -> dict[str, int]:
    """Photos of each split in the sample."""
    train, validation = dataset.count("train"), dataset.count("validation")
    if not photos or train + validation <= photos:
        return {"train": train, "validation": validation}
    held_out = min(validation, round(photos * _HELD_OUT))
    return {"train": min(train, photos - held_out), "validation": held_out}


def _draw(labels: NDArray[np.int64], count: int, seed: int) -> NDArray[np.int64]:
    """Rows of a sample that has each class as often as the whole, as nearly as whole numbers can be."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(labels))
    rank = np.empty(len(labels))
    for label in np.unique(labels):
        rows = order[labels[order] == label]
        rank[rows] = (np.arange(len(rows)) + 0.5) / len(rows)
    return np.argsort(rank, kind="stable")[:count]


def _select(photos: Iterable[LabelledPhoto], rows: set[int]) -> Iterator[LabelledPhoto]:
    return (photo for row, photo in enumerate(photos) if row in rows)
