"""Stratified selection of photos, the same every time: for comparisons and as probe photos."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import DataError


def select_test_photos(dataset: Dataset, count: int) -> list[LabelledPhoto]:
    """Selects up to ``count`` test photos, one of each class before a second of any.

    Raises:
        DataError: The dataset has no test photos.
    """
    photos = select_photos(dataset, "test", count)
    if not photos:
        raise DataError("the dataset has no test photos", remedy="raise data.test_fraction")
    return photos


def select_photos(dataset: Dataset, split: str, count: int) -> list[LabelledPhoto]:
    """Selects up to ``count`` photos of a split, one of each class before a second of any."""
    indices = set(stratified_indices(dataset.labels(split), count))
    return [photo for index, photo in enumerate(dataset.photos(split)) if index in indices]


def stratified_indices(labels: Sequence[int | str], count: int) -> list[int]:
    """Indices of up to ``count`` items, taken in turn from each label and evenly within it.

    Args:
        labels: Label of each item.
        count: Maximum number of indices.

    Returns:
        Sorted indices.
    """
    by_label: dict[int | str, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        by_label[label].append(index)
    counts = _share_out([len(indices) for indices in by_label.values()], count)
    selected = [
        indices[position]
        for indices, share in zip(by_label.values(), counts, strict=True)
        for position in np.linspace(0, len(indices) - 1, share).astype(int)
    ]
    return sorted(selected)


def _share_out(sizes: Sequence[int], count: int) -> list[int]:
    """How many of each class: one each in turn until ``count`` is reached or all are taken."""
    shares = [0] * len(sizes)
    left = min(count, sum(sizes))
    while left:
        for index, size in enumerate(sizes):
            if left and shares[index] < size:
                shares[index] += 1
                left -= 1
    return shares
