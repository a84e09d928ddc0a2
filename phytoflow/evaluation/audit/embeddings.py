"""Embeddings, thumbnails and perceptual hashes of a dataset's photos, for the audits of a dataset.

Both audits answer questions that a test accuracy does not: whether test photos have near copies in training,
and whether the background reveals the class.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.splits import SPLITS
from phytoflow.inference.classifier import Classifier
from phytoflow.system.batched import batched
from phytoflow.system.cpu import cpu_count
from phytoflow.system.progress import track
from phytoflow.system.threads import thread_map

SIDE = 32  # pixels of a thumbnail's side
_BATCH = 8
_MAX_AXES = 128  # principal axes kept; more add noise
_PHOTOS_PER_AXIS = 10  # fewer photos cannot estimate an axis


@dataclass(frozen=True)
class PhotoEmbeddings:
    """What the audits need of N photos.

    Attributes:
        embedding: float32 [N, D], whitened features from before the fine-tuned layers, of unit length.
        thumbnails: uint8 [N, SIDE, SIDE, 3], whole photos.
        hashes: uint64 [N], perceptual hashes.
        labels: int64 [N].
        groups: int64 [N].
        splits: int64 [N], indices into ``SPLITS``.
    """

    embedding: NDArray[np.float32]
    thumbnails: NDArray[np.uint8]
    hashes: NDArray[np.uint64]
    labels: NDArray[np.int64]
    groups: NDArray[np.int64]
    splits: NDArray[np.int64]


def embed_photos(classifier: Classifier, dataset: Dataset, limit: int, seed: int) -> PhotoEmbeddings:
    """Embeds a dataset's photos, or whole groups of them if there are more than ``limit``.

    Args:
        classifier: Gives the features.
        dataset: All splits are read.
        limit: Approximate maximum number of photos.
        seed: Decides which groups are taken.
    """
    batches = batched(track(_sample_groups(dataset, limit, seed), "Auditing photos"), _BATCH)
    results = thread_map(lambda batch: _embed(classifier, batch), batches, cpu_count())
    rows = [row for batch in results for row in batch]
    photos, features, thumbnails = zip(*rows, strict=True)
    of_path = dataset.table.set_index("path")
    phash, split = (of_path[name].to_dict() for name in ("phash", "split"))
    return PhotoEmbeddings(
        embedding=whiten(np.stack(features)),
        thumbnails=np.stack(thumbnails),
        hashes=np.array([int(phash[photo.path], 16) for photo in photos], np.uint64),
        labels=np.array([dataset.classes.index(photo.label) for photo in photos], np.int64),
        groups=np.unique([photo.group for photo in photos], return_inverse=True)[1],
        splits=np.array([SPLITS.index(split[photo.path]) for photo in photos], np.int64),
    )


def whiten(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Projects features onto principal axes of equal variance and normalises them to unit length.

    Directions in which all photos vary would otherwise hide what two shots of one thing share (Jégou & Chum
    2012). Few photos allow few axes.

    Args:
        features: float32 [N, D].

    Returns:
        float32 [N, K] with K <= D.
    """
    centred = features.astype(np.float64) - features.mean(axis=0)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(centred))  # ascending
    count = min(features.shape[1], _MAX_AXES, max(2, len(features) // _PHOTOS_PER_AXIS))
    floor = 1e-9 * variances[-1] + 1e-30  # constant features have no variance to divide by
    white = centred @ axes[:, -count:] / np.sqrt(np.maximum(variances[-count:], floor))
    return (white / np.maximum(np.linalg.norm(white, axis=1, keepdims=True), 1e-12)).astype(np.float32)


def _sample_groups(dataset: Dataset, limit: int, seed: int) -> Iterator[LabelledPhoto]:
    """Photos of random whole groups, at most ``limit`` photos or one group."""
    used = dataset.table[dataset.table["split"] != "excluded"]
    sizes = used["group"].value_counts(sort=False).sort_index()
    order = np.random.default_rng(seed).permutation(len(sizes))
    chosen = set(sizes.index[order[np.cumsum(sizes.to_numpy()[order]) <= max(limit, sizes.max())]])
    return (photo for split in SPLITS for photo in dataset.photos(split) if photo.group in chosen)


def _embed(
    classifier: Classifier, photos: list[LabelledPhoto]
) -> list[tuple[LabelledPhoto, NDArray[np.float32], NDArray[np.uint8]]]:
    manifest = classifier.bundle.manifest
    pixels = [manifest.preprocessing.decode(photo.content) for photo in photos]
    outputs = classifier.outputs(manifest.preprocessing.normalise(np.stack(pixels)))
    features = outputs.logits if outputs.features is None else outputs.features
    early = features[:, : manifest.early_features or None]  # features that were not fine-tuned
    without_bytes = [LabelledPhoto(p.path, p.label, p.group, b"") for p in photos]  # bounds the memory
    return list(zip(without_bytes, early, [_thumbnail(p) for p in pixels], strict=True))


def _thumbnail(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BOX))
