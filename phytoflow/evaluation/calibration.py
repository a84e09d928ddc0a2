"""Does a confidence of 90% mean right nine times in ten?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Reliability:
    """Photos sorted into bins of equal width by confidence; empty bins hold nan.

    Attributes:
        edges: float64 [B + 1], from 0 to 1.
        counts: int64 [B], photos in each bin.
        confidence: float64 [B], mean confidence.
        accuracy: float64 [B], share of right answers.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def ece(self) -> float:
        """Expected calibration error (Guo et al. 2017): mean gap of confidence and accuracy, over photos."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float(np.nansum(gaps * self.counts) / self.counts.sum())


def reliability(confidence: NDArray[np.float64], correct: NDArray[np.bool_], bins: int) -> Reliability:
    """Bins photos by confidence; bin b holds those in (b / bins, (b + 1) / bins].

    Args:
        confidence: float64 [N], in 0..1.
        correct: bool [N].
        bins: Number of bins.
    """
    edges, which = np.linspace(0, 1, bins + 1), bins_of(confidence, bins)
    counts = np.bincount(which, minlength=bins)
    full = np.where(counts, counts, np.nan)
    mean_confidence = np.bincount(which, confidence, bins) / full
    return Reliability(edges, counts, mean_confidence, np.bincount(which, correct, bins) / full)


def bins_of(confidence: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """The number of each photo's bin, int64 [N]; see ``reliability``."""
    edges = np.linspace(0, 1, bins + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
