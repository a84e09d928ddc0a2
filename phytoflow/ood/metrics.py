"""How well a score tells known photos from strangers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_DRAWS, _SURE, _SEED = 1000, 0.95, 0


def auroc(known: NDArray[np.float64], strangers: NDArray[np.float64]) -> float:
    """Chance that a stranger scores higher than a known photo, ties counting half (Mann & Whitney 1947)."""
    values = np.concatenate([known, strangers])
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[which]
    above = ranks[len(known) :].sum() - len(strangers) * (len(strangers) + 1) / 2
    return float(above / (len(known) * len(strangers)))


def auroc_error(area: float, known: int, strangers: int) -> float:
    """Standard error of an AUROC from so many scores (Hanley & McNeil 1982)."""
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    spread = area * (1 - area) + (strangers - 1) * (one - area**2) + (known - 1) * (two - area**2)
    return math.sqrt(max(spread, 0) / (known * strangers))


def fpr95(known: NDArray[np.float64], strangers: NDArray[np.float64]) -> float:
    """Share of strangers taken for known where 95% of the known photos are."""
    return float((strangers <= conformal_quantile(known, 0.05)).mean())


def conformal_quantile(known: NDArray[np.float64], refused: float) -> float:
    """The score that another known photo exceeds with a chance of at most ``refused``.

    The ceil((n + 1)(1 - refused))-th smallest of n held-out scores (Vovk et al. 2005; Bates et al. 2023 for
    outliers); where n is too small to promise that, the largest.
    """
    rank = math.ceil((len(known) + 1) * (1 - refused))
    return float(np.sort(known)[min(rank, len(known)) - 1])


def sure_quantile(known: NDArray[np.float64], groups: NDArray[np.int64], refused: float) -> float:
    """The same where photos come in groups: those of one leaf score alike, and other leaves will differ.

    Whole groups are drawn anew (Field & Welsh 2007); the score is taken that the quantiles of 19 in 20
    draws stay below, so that a share larger than ``refused`` is refused of few sets of other groups.

    Args:
        known: float64 [N], scores of held-out photos.
        groups: int64 [N], group numbers from 0 without gaps.
        refused: Share of known photos that may be refused.
    """
    count, order = int(groups.max()) + 1, np.argsort(known)
    generator = np.random.default_rng(_SEED)
    drawn = generator.multinomial(count, np.full(count, 1 / count), _DRAWS)[:, groups[order]].cumsum(axis=1)
    ranks = (drawn < (1 - refused) * drawn[:, -1:]).sum(axis=1)
    return max(conformal_quantile(known, refused), float(np.quantile(known[order][ranks], _SURE)))
