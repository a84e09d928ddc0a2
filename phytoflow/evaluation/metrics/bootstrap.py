"""How far a figure could be off by chance: the bootstrap over groups.

Photos of one leaf tell little more than one photo of it, so whole groups are drawn, never single photos:
intervals over photos would be too narrow (Efron & Tibshirani 1993, An Introduction to the Bootstrap,
chapters 8 and 13; Field & Welsh 2007 for clusters).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Interval = tuple[float, float]
_CHUNK = 100  # resamples at a time: bounds the memory at _CHUNK x groups


def resampled_sums(
    values: NDArray[np.float64] | csr_matrix, groups: NDArray[np.int64], samples: int, seed: int
) -> NDArray[np.float64]:
    """Sums of per-photo values over resamples of groups.

    As many groups as there are, are drawn with replacement; each brings all its photos.

    Args:
        values: float64 [N, K], dense or sparse.
        groups: int64 [N], group numbers from 0 without gaps.
        samples: Number of resamples.
        seed: The same seed draws the same groups.

    Returns:
        float64 [samples, K].
    """
    count = int(groups.max()) + 1
    photos = np.arange(len(groups))
    member = csr_matrix((np.ones(len(groups)), (groups, photos)), shape=(count, len(groups)))
    sums = csr_matrix(member @ csr_matrix(values))  # [groups, K]
    return np.concatenate([(sums.T @ drawn.T).T for drawn in _draws(count, samples, seed)])


def percentile_interval(values: NDArray[np.float64], confidence: float) -> Interval:
    """Percentile interval (Efron & Tibshirani 1993, section 13.3) of finite resampled figures."""
    tail = (1 - confidence) / 2
    low, high = np.quantile(values[np.isfinite(values)], (tail, 1 - tail))
    return float(low), float(high)


def flawless_interval(groups: int, confidence: float) -> Interval:
    """Interval of a share of 1 seen in all of ``groups`` independent groups.

    A bootstrap of a flawless sample knows no error and says 1 to 1. The exact lower limit (Clopper &
    Pearson 1934) is the share at which a flawless sample this large has probability (1 - confidence) / 2.
    """
    return float(((1 - confidence) / 2) ** (1 / groups)), 1.0


def difference_interval(one: tuple[float, Interval], two: tuple[float, Interval]) -> Interval:
    """Interval of ``one - two``, two figures of independent samples, from the interval of each.

    MOVER (Zou & Donner 2008, Construction of confidence limits about effect measures); unlike a bootstrap
    of the difference it keeps the doubt about a flawless sample.
    """
    (first, (first_low, first_high)), (second, (second_low, second_high)) = one, two
    difference = first - second
    low = difference - float(np.hypot(first - first_low, second_high - second))
    return low, difference + float(np.hypot(first_high - first, second - second_low))


def _draws(groups: int, samples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each group is drawn: float64 [at most _CHUNK, groups], ``samples`` rows altogether."""
    generator = np.random.default_rng(seed)
    shares = np.full(groups, 1 / groups)
    for start in range(0, samples, _CHUNK):
        yield generator.multinomial(groups, shares, size=min(_CHUNK, samples - start)).astype(np.float64)
