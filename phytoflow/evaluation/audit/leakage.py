"""Leakage audit: how many test photos have a near copy in training, under a random split and under ours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.data.splits import SPLITS
from phytoflow.evaluation.audit.embeddings import PhotoEmbeddings

_HASH_BITS = 6  # of 64; two shots of one thing rarely differ by more
_DIFFERENT_CLASSES_QUANTILE = 0.99  # photos of different classes cannot show the same leaf
_TRAIN, _TEST = SPLITS.index("train"), SPLITS.index("test")


class SplitLeakage(BaseModel):
    """Leakage under one split. Shares of the test photos, 0..1.

    Attributes:
        nearest: Share whose most similar photo of the whole dataset is in training. Without groups of similar
            photos this is about the training share; keeping groups together lowers it.
        near: Share with a training photo of their class that is more similar than 99% of photos are to any
            photo of another class.
        near_hash: Share with a training photo whose perceptual hash differs in at most 6 of 64 bits.
        accuracy: Accuracy of a probe that copies the label of the most similar training photo.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    nearest: float
    near: float
    near_hash: float
    accuracy: float


class LeakageAudit(BaseModel):
    """The same photos under two splits of the same sizes.

    Attributes:
        photos: Number of photos, of all splits.
        random: Photos split at random, as is common.
        ours: The split that was used, which keeps groups together.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: int
    random: SplitLeakage
    ours: SplitLeakage

    @property
    def gap(self) -> float:
        """By how much the random split inflates the probe's accuracy; negative if it does not."""
        return self.random.accuracy - self.ours.accuracy


def audit_leakage(photos: PhotoEmbeddings, seed: int) -> LeakageAudit | None:
    """Compares the split that was used with a random one; None without training or test photos.

    Similarity is the cosine of features from before the fine-tuned layers. It is independent of groups, file
    names and camera numbers, and of what the model learnt about the classes.

    Args:
        photos: Photos of all splits.
        seed: Seed of the random split.
    """
    if min((photos.splits == _TRAIN).sum(), (photos.splits == _TEST).sum()) == 0:
        return None
    similarity = photos.embedding @ photos.embedding.T
    np.fill_diagonal(similarity, -np.inf)
    same_class = photos.labels[:, None] == photos.labels
    between_classes = np.where(same_class, -np.inf, similarity).max(axis=1)
    near = float(np.quantile(between_classes, _DIFFERENT_CLASSES_QUANTILE))
    shuffled = np.random.default_rng(seed).permutation(photos.splits)
    return LeakageAudit(
        photos=len(photos.labels),
        random=_measure(photos, similarity, near, shuffled),
        ours=_measure(photos, similarity, near, photos.splits),
    )


def _measure(
    photos: PhotoEmbeddings, similarity: NDArray[np.float32], near: float, splits: NDArray[np.int64]
) -> SplitLeakage:
    """Leakage under ``splits``; photos more similar than ``near`` count as near copies."""
    test, train = np.nonzero(splits == _TEST)[0], np.nonzero(splits == _TRAIN)[0]
    to_training = similarity[np.ix_(test, train)]
    same_class = photos.labels[test][:, None] == photos.labels[train]
    bits = np.bitwise_count(photos.hashes[test][:, None] ^ photos.hashes[train])
    copied = photos.labels[train][to_training.argmax(axis=1)]
    return SplitLeakage(
        nearest=float((splits[similarity[test].argmax(axis=1)] == _TRAIN).mean()),
        near=float((np.where(same_class, to_training, -np.inf).max(axis=1) > near).mean()),
        near_hash=float((bits.min(axis=1) <= _HASH_BITS).mean()),
        accuracy=float((copied == photos.labels[test]).mean()),
    )
