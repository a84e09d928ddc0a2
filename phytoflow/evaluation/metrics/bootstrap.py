"""Confidence intervals that respect groups: a bootstrap over whole groups, and what is built on it.

Photos of one leaf carry little more information than a single photo of it. Resampling single photos would
therefore give intervals that are too narrow, so whole groups are resampled (Efron & Tibshirani 1993, An
Introduction to the Bootstrap, chapters 8 and 13; Field & Welsh 2007 for clustered data).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Interval = tuple[float, float]
_CHUNK = 100  # resamples computed at a time; bounds the memory at _CHUNK x groups


def resampled_sums(
    values: NDArray[np.float64] | csr_matrix, groups: NDArray[np.int64], samples: int, seed: int
) -> NDArray[np.float64]:
    """Sums per-photo values over bootstrap resamples of groups.

    Each resample draws as many groups as there are, with replacement; a group brings all its photos.

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


def percentile_interval(values: NDArray[np.float64], level: float) -> Interval:
    """Percentile interval of resampled values (Efron & Tibshirani 1993, section 13.3).

    Args:
        values: float64 [samples]; values that are not finite are left out.
        level: Confidence level, e.g. 0.95.
    """
    tail = (1 - level) / 2
    low, high = np.quantile(values[np.isfinite(values)], (tail, 1 - tail))
    return float(low), float(high)


def share_interval(
    share: float, resampled: NDArray[np.float64], *, photos: int, groups: int, level: float
) -> Interval:
    """Interval of a share, such as accuracy or F1, that stays honest near 0 and 1 and for few photos.

    The percentile bootstrap knows no errors but those in the sample: 39 right of 40 gave 92.5% to 100%, a
    better lower end than 40 of 40. This is the interval of Korn & Graubard (1998): the exact interval of
    Clopper & Pearson (1934) for the effective number of independent photos, which the variance of the
    resamples gives. Macro-averages and F1 are treated like a share of that variance.

    Args:
        share: The point estimate, 0..1.
        resampled: float64 [samples], the same share in bootstrap resamples of groups.
        photos: Number of photos behind the share; the effective number is never larger.
        groups: Number of groups they come from.
        level: Confidence level.
    """
    from scipy.stats import beta

    size = _effective_size(share, resampled, photos, groups, (1 - level) / 2)
    right, tail = share * size, (1 - level) / 2
    low = float(beta.ppf(tail, right, size - right + 1)) if share > 0 else 0.0
    high = float(beta.ppf(1 - tail, right + 1, size - right)) if share < 1 else 1.0
    return low, high


def difference_interval(one: tuple[float, Interval], two: tuple[float, Interval]) -> Interval:
    """Interval of ``one - two`` for estimates from independent samples, from the interval of each.

    This is MOVER (Zou & Donner 2008, Construction of confidence limits about effect measures). Unlike a
    bootstrap of the difference it keeps the uncertainty of a sample without errors.

    Args:
        one: The first estimate and its interval.
        two: The second estimate and its interval.
    """
    (first, (first_low, first_high)), (second, (second_low, second_high)) = one, two
    difference = first - second
    low = difference - float(np.hypot(first - first_low, second_high - second))
    return low, difference + float(np.hypot(first_high - first, second - second_low))


def _effective_size(
    share: float, resampled: NDArray[np.float64], photos: int, groups: int, tail: float
) -> float:
    """Number of independent photos that would give the resamples' variance."""
    from scipy.stats import t

    variance = float(resampled[np.isfinite(resampled)].var())
    if not 0 < share < 1 or variance == 0:
        return float(groups)  # without errors the variance says nothing: count each group once
    size = min(float(photos), share * (1 - share) / variance)
    # Few groups estimate the variance poorly; the ratio of t quantiles allows for that (Korn & Graubard).
    correction = t.ppf(tail, max(photos - 1, 1)) / t.ppf(tail, max(groups - 1, 1))
    return size * float(correction) ** 2


def _draws(groups: int, samples: int, seed: int) -> Iterator[NDArray[np.float64]]:
    """How often each group is drawn: float64 [at most _CHUNK, groups], ``samples`` rows altogether."""
    generator = np.random.default_rng(seed)
    shares = np.full(groups, 1 / groups)
    for start in range(0, samples, _CHUNK):
        yield generator.multinomial(groups, shares, size=min(_CHUNK, samples - start)).astype(np.float64)
