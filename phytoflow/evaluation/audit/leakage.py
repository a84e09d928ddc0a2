"""Leak audit: how many test photos have a near copy in training, under a random split and under ours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.data.splits import SPLITS
from phytoflow.evaluation.audit.embeddings import Looked

_HASH_BITS = 6
_FOREIGN = 0.99  # quantile of the likeness between photos of different classes
_TRAIN, _TEST = SPLITS.index("train"), SPLITS.index("test")


class SplitFigures(BaseModel):
    """What one split lets through.

    Attributes:
        nearest: Share of test photos whose most similar photo of all, whatever its split, is in training. If
            photos came alone, it would be the training share; siblings kept together bring it down.
        near: Share of test photos with a training photo of their class more alike than photos of different
            classes, which cannot show one leaf, ever get (all but one in a hundred).
        near_hash: Share with a training photo whose perceptual hash differs in at most 6 of 64 bits.
        accuracy: Of a probe that gives each test photo the class of the training photo most like it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    nearest: float
    near: float
    near_hash: float
    accuracy: float


class LeakAudit(BaseModel):
    """The same photos under two splits of the same sizes.

    Attributes:
        photos: Looked at, of all splits.
        random: Photos split at random, as is common.
        ours: The split used, which keeps photos of one thing together.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: int
    random: SplitFigures
    ours: SplitFigures

    @property
    def gap(self) -> float:
        """By how much a random split flatters the probe."""
        return self.random.accuracy - self.ours.accuracy


def audit_leaks(looked: Looked, seed: int) -> LeakAudit | None:
    """Compares the split used with a random one; None where there is nothing to compare.

    The likeness is the cosine of early features: colours, textures and shapes, not what the model has learnt
    about classes. It knows nothing of groups, file names or camera numbers.

    Args:
        looked: Photos of all splits.
        seed: Of the random split.
    """
    if min((looked.splits == _TRAIN).sum(), (looked.splits == _TEST).sum()) == 0:
        return None
    likeness = looked.embedding @ looked.embedding.T
    np.fill_diagonal(likeness, -np.inf)
    same = looked.labels[:, None] == looked.labels
    limit = float(np.quantile(np.where(same, -np.inf, likeness).max(axis=1), _FOREIGN))
    mixed = np.random.default_rng(seed).permutation(looked.splits)
    random, ours = (_figures(looked, likeness, limit, splits) for splits in (mixed, looked.splits))
    return LeakAudit(photos=len(looked.labels), random=random, ours=ours)


def _figures(
    looked: Looked, likeness: NDArray[np.float32], limit: float, splits: NDArray[np.int64]
) -> SplitFigures:
    test, train = np.nonzero(splits == _TEST)[0], np.nonzero(splits == _TRAIN)[0]
    between = likeness[np.ix_(test, train)]
    same = looked.labels[test][:, None] == looked.labels[train]
    bits = np.bitwise_count(looked.hashes[test][:, None] ^ looked.hashes[train])
    nearest = looked.labels[train][between.argmax(axis=1)]
    return SplitFigures(
        nearest=float((splits[likeness[test].argmax(axis=1)] == _TRAIN).mean()),
        near=float((np.where(same, between, -np.inf).max(axis=1) > limit).mean()),
        near_hash=float((bits.min(axis=1) <= _HASH_BITS).mean()),
        accuracy=float((nearest == looked.labels[test]).mean()),
    )
