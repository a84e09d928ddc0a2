"""Calibration: whether answers given with a confidence of 90% are right nine times in ten."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.metrics.bootstrap import Interval, percentile_interval, resampled_sums

_CHUNK = 100  # simulations computed at a time; bounds the memory at _CHUNK x photos


@dataclass(frozen=True)
class ReliabilityBins:
    """Photos in bins of equal width by confidence. Empty bins hold nan.

    Attributes:
        edges: float64 [B + 1], from 0 to 1.
        counts: int64 [B], photos in each bin.
        confidence: float64 [B], mean confidence.
        accuracy: float64 [B], share of correct answers.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def ece(self) -> float:
        """Expected calibration error (Guo et al. 2017): mean gap of confidence and accuracy over photos."""
        gaps = np.abs(self.accuracy - self.confidence)
        return float(np.nansum(gaps * self.counts) / self.counts.sum())


def bin_by_confidence(
    confidence: NDArray[np.float64], correct: NDArray[np.bool_], bins: int
) -> ReliabilityBins:
    """Bins photos by confidence; bin b holds those in (b / bins, (b + 1) / bins].

    Args:
        confidence: float64 [N], 0..1.
        correct: bool [N].
        bins: Number of bins.
    """
    edges, numbers = np.linspace(0, 1, bins + 1), bin_numbers(confidence, bins)
    counts = np.bincount(numbers, minlength=bins)
    divisor = np.where(counts, counts, np.nan)
    mean_confidence = np.bincount(numbers, confidence, bins) / divisor
    return ReliabilityBins(edges, counts, mean_confidence, np.bincount(numbers, correct, bins) / divisor)


def bin_numbers(confidence: NDArray[np.float64], bins: int) -> NDArray[np.int64]:
    """Bin number of each photo, int64 [N]; see ``bin_by_confidence``."""
    edges = np.linspace(0, 1, bins + 1)
    return np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)


class Calibration(BaseModel):
    """The expected calibration error, and how much of it chance alone explains.

    The binned estimate is biased upwards: on few photos even perfectly calibrated confidence differs from the
    share of correct answers in each bin (Roelofs et al. 2022; Kumar et al. 2019). The size of that effect is
    measured by drawing new answers with exactly the claimed probabilities (consistency resampling, Bröcker &
    Smith 2007).

    Attributes:
        ece: Expected calibration error, 0..1.
        interval: Basic bootstrap interval of ``ece`` over groups, which removes the upward bias. May include
            0.
        ece_if_calibrated: Mean error of a perfectly calibrated model with the same confidences on the same
            number of photos, assumed independent.
        ece_if_calibrated_p95: 95th percentile of that model's error.
        excess_ece: ``ece`` minus ``ece_if_calibrated``, at least 0.
        p_value: Probability that a perfectly calibrated model has an error of at least ``ece``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ece: float
    interval: Interval
    ece_if_calibrated: float
    ece_if_calibrated_p95: float
    excess_ece: float
    p_value: float


def measure_calibration(
    confidence: NDArray[np.float64],
    correct: NDArray[np.bool_],
    groups: NDArray[np.int64],
    *,
    bins: int,
    samples: int,
    level: float,
    seed: int,
) -> Calibration:
    """Measures the calibration error.

    Args:
        confidence: float64 [N], 0..1.
        correct: bool [N].
        groups: int64 [N], group numbers from 0.
        bins: Number of bins of equal width.
        samples: Number of bootstrap resamples, and of simulated test sets.
        level: Confidence level of the interval.
        seed: Seed of both.
    """
    member = np.eye(bins)[bin_numbers(confidence, bins)]
    gaps = member * (correct - confidence)[:, None]
    ece = float(np.abs(gaps.sum(0)).sum() / len(gaps))
    sums = resampled_sums(np.column_stack([gaps, np.ones(len(gaps))]), groups, samples, seed)
    low, high = percentile_interval(np.abs(sums[:, :-1]).sum(1) / sums[:, -1], level)
    simulated = _simulate_calibrated(confidence, member, samples, seed)
    return Calibration(
        ece=ece,
        interval=(max(0.0, 2 * ece - high), max(0.0, 2 * ece - low)),
        ece_if_calibrated=float(simulated.mean()),
        ece_if_calibrated_p95=float(np.quantile(simulated, 0.95)),
        excess_ece=max(0.0, ece - float(simulated.mean())),
        p_value=float((1 + (simulated >= ece).sum()) / (1 + samples)),
    )


def _simulate_calibrated(
    confidence: NDArray[np.float64], member: NDArray[np.float64], samples: int, seed: int
) -> NDArray[np.float64]:
    """Calibration errors of simulated test sets with perfect calibration, float64 [samples]."""
    generator = np.random.default_rng(seed)
    errors: list[NDArray[np.float64]] = []
    for start in range(0, samples, _CHUNK):
        correct = generator.random((min(_CHUNK, samples - start), len(confidence))) < confidence
        errors.append(np.abs((correct - confidence) @ member).sum(1) / len(confidence))
    return np.concatenate(errors)
