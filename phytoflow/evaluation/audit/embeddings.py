"""A look at all photos of a dataset, small, for the questions a test figure does not answer by itself:
whether test photos have near copies in training, and whether the background gives the class away.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.splits import SPLITS
from phytoflow.inference.classifier import Classifier
from phytoflow.system.cpu import cpu_count
from phytoflow.system.progress import track
from phytoflow.system.threads import thread_map

SIDE = 32  # pixels of the small pictures
_BATCH = 8
_MOST_AXES, _PHOTOS_AN_AXIS = 128, 10


@dataclass(frozen=True)
class Looked:
    """What is kept of N photos.

    Attributes:
        embedding: float32 [N, D], features from before the tuned layers, whitened and at length one.
        small: uint8 [N, SIDE, SIDE, 3], the whole photo squeezed.
        hashes: uint64 [N], perceptual hashes.
        labels: int64 [N].
        groups: int64 [N].
        splits: int64 [N], places in ``SPLITS``.
    """

    embedding: NDArray[np.float32]
    small: NDArray[np.uint8]
    hashes: NDArray[np.uint64]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    splits: NDArray[np.int64]


def look(classifier: Classifier, dataset: Dataset, most: int, seed: int) -> Looked:
    """Looks at a dataset's photos, whole groups of them where there are more than ``most``.

    Args:
        classifier: Its model's early features tell photos apart.
        dataset: All splits are read.
        most: Photos looked at, about.
        seed: Decides which groups are.
    """
    photos = _chosen(dataset, most, seed)
    hashes = dict(zip(dataset.table["path"], dataset.table["phash"], strict=True))
    batches = _batches(track(photos, "Looking for leaks"))
    parts = [row for part in thread_map(lambda b: _seen(classifier, b), batches, cpu_count()) for row in part]
    features, small, about = zip(*parts, strict=True)
    paths, labels, groups = zip(*about, strict=True)
    split_of = dict(zip(dataset.table["path"], dataset.table["split"], strict=True))
    return Looked(
        _whitened(np.stack(features)),
        np.stack(small),
        np.array([int(hashes[path], 16) for path in paths], np.uint64),
        np.array([dataset.classes.index(label) for label in labels], np.int64),
        np.unique(groups, return_inverse=True)[1],
        np.array([SPLITS.index(split_of[path]) for path in paths], np.int64),
    )


def _whitened(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Turned to principal axes of equal weight: what all photos vary in would hide what two shots share.

    Whitening finds single things among alike ones (Jegou & Chum 2012); few photos allow few axes.
    """
    centred = features.astype(np.float64) - features.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(centred))
    kept = min(features.shape[1], _MOST_AXES, max(2, len(features) // _PHOTOS_AN_AXIS))
    white = centred @ axes[:, -kept:] / np.sqrt(np.maximum(variances[-kept:], 1e-9 * variances[-1] + 1e-30))
    return (white / np.maximum(np.linalg.norm(white, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def _chosen(dataset: Dataset, most: int, seed: int) -> Iterator[LabelledPhoto]:
    used = dataset.table[dataset.table["split"] != "excluded"]
    sizes = used["group"].value_counts(sort=False).sort_index()
    order = np.random.default_rng(seed).permutation(len(sizes))
    kept = set(sizes.index[order[np.cumsum(sizes.to_numpy()[order]) <= max(most, sizes.max())]])
    return (photo for split in SPLITS for photo in dataset.photos(split) if photo.group in kept)


def _seen(
    classifier: Classifier, photos: list[LabelledPhoto]
) -> list[tuple[NDArray[np.float32], NDArray[np.uint8], tuple[str, str, str]]]:
    manifest = classifier.bundle.manifest
    pixels = [manifest.preprocessing.decode(photo.content) for photo in photos]
    outputs = classifier.outputs(manifest.preprocessing.normalise(np.stack(pixels)))
    features = outputs.logits if outputs.features is None else outputs.features
    early = features[:, : manifest.early_features or None]
    about = [(photo.path, photo.label, photo.group) for photo in photos]
    return list(zip(early, [_small(picture) for picture in pixels], about, strict=True))


def _small(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX))


def _batches(photos: Iterator[LabelledPhoto]) -> Iterator[list[LabelledPhoto]]:
    while batch := list(islice(photos, _BATCH)):
        yield batch
