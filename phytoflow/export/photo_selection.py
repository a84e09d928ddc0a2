"""Which test photos are compared and kept as probes: spread over the classes, the same every time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import DataError


def test_photos(dataset: Dataset, count: int) -> list[LabelledPhoto]:
    """Up to ``count`` test photos, one of each class before a second of any.

    Raises:
        DataError: The dataset has no test photos.
    """
    wanted = set(spread(dataset.labels("test"), count))
    photos = [photo for index, photo in enumerate(dataset.photos("test")) if index in wanted]
    if not photos:
        raise DataError("the dataset has no test photos", remedy="raise data.test_fraction")
    return photos


def spread(labels: Sequence[int | str], count: int) -> list[int]:
    """Indices of up to ``count`` items, taking turns over the labels, evenly within each.

    Args:
        labels: Label of each item.
        count: Most indices returned.

    Returns:
        Sorted indices.
    """
    by_label: dict[int | str, list[int]] = defaultdict(list)
    for index, label in enumerate(labels):
        by_label[label].append(index)
    each = _shares([len(indices) for indices in by_label.values()], count)
    picked = [
        indices[position]
        for indices, share in zip(by_label.values(), each, strict=True)
        for position in np.linspace(0, len(indices) - 1, share).astype(int)
    ]
    return sorted(picked)


def _shares(sizes: Sequence[int], count: int) -> list[int]:
    """How many of each class: one each in turn until ``count`` or everything is taken."""
    shares = [0] * len(sizes)
    left = min(count, sum(sizes))
    while left:
        for index, size in enumerate(sizes):
            if left and shares[index] < size:
                shares[index] += 1
                left -= 1
    return shares
