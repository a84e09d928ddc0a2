"""How well a score tells known photos from strangers."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


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
