"""Two-sample tests between reference and served photos: they describe what moved, the alarm is not theirs."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import kolmogorov

_PERMUTATIONS = 200
_MOST_COMPARED = 300  # photos of each side: kernels are square
_SEED = 0


def class_shift(reference: NDArray[np.int64], served: NDArray[np.int64], classes: int) -> float:
    """P-value of a change of the predicted classes (black-box shift detection, Rabanser et al. 2019)."""
    counts = np.stack([np.bincount(labels, minlength=classes) for labels in (reference, served)])
    counts = counts[:, counts.sum(axis=0) > 0]
    return float(stats.chi2_contingency(counts).pvalue) if counts.shape[1] > 1 else 1.0


def univariate_shift(reference: NDArray[np.float32], served: NDArray[np.float32]) -> float:
    """P-value of a change of one value (Kolmogorov-Smirnov, in the limit of many photos).

    ``scipy.stats.ks_2samp`` checks its input for milliseconds; it is called for each of some seventy values.
    """
    first, second = np.sort(reference), np.sort(served)
    both = np.concatenate([first, second])
    shares = [np.searchsorted(side, both, side="right") / len(side) for side in (first, second)]
    effective = len(first) * len(second) / len(both)
    return float(kolmogorov(np.sqrt(effective) * np.abs(shares[0] - shares[1]).max()))


def maximum_mean_discrepancy(
    reference: NDArray[np.float32], served: NDArray[np.float32]
) -> tuple[float, float]:
    """Squared maximum mean discrepancy with a Gaussian kernel, and its p-value (Gretton et al. 2012).

    The kernel's width is the median distance; the p-value comes from permutations.

    Args:
        reference: float32 [N, K].
        served: float32 [M, K].
    """
    generator = np.random.default_rng(_SEED)
    both = np.concatenate([_sample(reference, generator), _sample(served, generator)]).astype(np.float64)
    first = min(len(reference), _MOST_COMPARED)
    squares = (both**2).sum(axis=1)
    distances = np.maximum(squares[:, None] + squares - 2 * both @ both.T, 0)
    kernel = np.exp(-distances / max(float(np.median(distances)), 1e-12))
    value = _discrepancy(kernel, np.arange(len(both)) < first)
    memberships = (generator.permutation(len(both)) < first for _ in range(_PERMUTATIONS))
    as_large = sum(_discrepancy(kernel, membership) >= value for membership in memberships)
    return value, (1 + as_large) / (1 + _PERMUTATIONS)


def _sample(rows: NDArray[np.float32], generator: np.random.Generator) -> NDArray[np.float32]:
    if len(rows) <= _MOST_COMPARED:
        return rows
    return rows[np.sort(generator.choice(len(rows), _MOST_COMPARED, replace=False))]


def _discrepancy(kernel: NDArray[np.float64], first: NDArray[np.bool_]) -> float:
    signs = np.where(first, 1 / first.sum(), -1 / (~first).sum())
    return float(signs @ kernel @ signs)
