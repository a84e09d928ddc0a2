"""Metrics of OOD detection (AUROC, FPR95) and quantiles that set its threshold.

Everywhere a higher score means further from the known photos, and the false-positive rate is the share of
known photos that are taken for OOD photos.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_DRAWS = 1000  # bootstrap samples
_CERTAINTY = 0.95  # share of the bootstrap samples whose quantile the threshold must reach
_SEED = 0


def auroc(known: NDArray[np.float64], ood: NDArray[np.float64]) -> float:
    """Probability that an OOD photo scores higher than a known one; ties count half (Mann & Whitney 1947).

    Args:
        known: Scores of known photos, float64 [N].
        ood: Scores of OOD photos, float64 [M].
    """
    values = np.concatenate([known, ood])
    _, which, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[which]  # tied values share their mean rank
    above = ranks[len(known) :].sum() - len(ood) * (len(ood) + 1) / 2
    return float(above / (len(known) * len(ood)))


def auroc_error(area: float, known: int, ood: int) -> float:
    """Standard error of an AUROC measured on so many scores (Hanley & McNeil 1982)."""
    one, two = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (ood - 1) * (one - area**2) + (known - 1) * (two - area**2)
    return math.sqrt(max(variance, 0) / (known * ood))


def fpr95(known: NDArray[np.float64], ood: NDArray[np.float64]) -> float:
    """Share of OOD photos accepted at the threshold that accepts 95% of the known photos."""
    return float((ood <= conformal_quantile(known, 0.05)).mean())


def conformal_quantile(known: NDArray[np.float64], false_positive_rate: float) -> float:
    """The score that another known photo exceeds with a probability of at most ``false_positive_rate``.

    This is the ceil((n + 1)(1 - rate))-th smallest of n held-out scores (Vovk et al. 2005; for outliers Bates
    et al. 2023), or the largest if n is too small for that guarantee.

    Args:
        known: Scores of held-out photos, float64 [n].
        false_positive_rate: Between 0 and 1.
    """
    rank = math.ceil((len(known) + 1) * (1 - false_positive_rate))
    return float(np.sort(known)[min(rank, len(known)) - 1])


def grouped_quantile(
    known: NDArray[np.float64], groups: NDArray[np.int64], false_positive_rate: float
) -> float:
    """The same for photos that come in groups, whose scores are alike within a group.

    Bootstraps whole groups (Field & Welsh 2007) and takes the score that the quantiles of 19 in 20 samples
    stay below. On few sets of other groups will the false-positive rate then exceed the one asked for.

    Args:
        known: Scores of held-out photos, float64 [N].
        groups: Group numbers from 0 without gaps, int64 [N].
        false_positive_rate: Between 0 and 1.
    """
    count, order = int(groups.max()) + 1, np.argsort(known)
    generator = np.random.default_rng(_SEED)
    drawn = generator.multinomial(count, np.full(count, 1 / count), _DRAWS)[:, groups[order]].cumsum(axis=1)
    ranks = (drawn < (1 - false_positive_rate) * drawn[:, -1:]).sum(axis=1)
    quantile = float(np.quantile(known[order][ranks], _CERTAINTY))
    return max(conformal_quantile(known, false_positive_rate), quantile)
