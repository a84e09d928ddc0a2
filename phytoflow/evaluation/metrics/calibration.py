"""Does a confidence of 90% mean right nine times in ten?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.metrics.bootstrap import Interval, percentile_interval, resampled_sums

_CHUNK = 100  # simulations at a time: bounds the memory at _CHUNK x photos


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


class Calibration(BaseModel):
    """The expected calibration error beside what chance alone makes of it.

    The binned error is biased upwards: on few photos even flawless confidence misses the share of right
    answers in a bin (Roelofs et al. 2022; Kumar et al. 2019). How much is told by drawing the answers anew
    with just the probabilities claimed (consistency resampling, Bröcker & Smith 2007).

    Attributes:
        ece: Expected calibration error, as usual.
        interval: Of it, by a bootstrap over groups turned about the figure, which takes the bias out; may
            hold 0.
        by_chance: Mean error of a flawlessly calibrated model that claims the same on as many photos, taken
            as independent.
        by_chance_most: What that model's error stays below, in 95 of 100 such sets.
        beyond_chance: ``ece`` less ``by_chance``, at least 0.
        p_value: Share of such sets with an error at least as large as ``ece``; small: it is not chance.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    ece: float
    interval: Interval
    by_chance: float
    by_chance_most: float
    beyond_chance: float
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
    """Figures of the calibration error.

    Args:
        confidence: float64 [N], in 0..1.
        correct: bool [N].
        groups: int64 [N], group numbers from 0.
        bins: Bins of equal width.
        samples: Resamples, and simulated sets.
        level: Confidence of the interval.
        seed: Of both.
    """
    member = np.eye(bins)[bins_of(confidence, bins)]
    gaps = member * (correct - confidence)[:, None]
    ece = float(np.abs(gaps.sum(0)).sum() / len(gaps))
    sums = resampled_sums(np.column_stack([gaps, np.ones(len(gaps))]), groups, samples, seed)
    low, high = percentile_interval(np.abs(sums[:, :-1]).sum(1) / sums[:, -1], level)
    chance = _by_chance(confidence, member, samples, seed)
    return Calibration(
        ece=ece,
        interval=(max(0.0, 2 * ece - high), max(0.0, 2 * ece - low)),
        by_chance=float(chance.mean()),
        by_chance_most=float(np.quantile(chance, 0.95)),
        beyond_chance=max(0.0, ece - float(chance.mean())),
        p_value=float((1 + (chance >= ece).sum()) / (1 + samples)),
    )


def _by_chance(
    confidence: NDArray[np.float64], member: NDArray[np.float64], samples: int, seed: int
) -> NDArray[np.float64]:
    """Calibration errors of simulated flawless sets, float64 [samples]."""
    generator = np.random.default_rng(seed)
    found: list[NDArray[np.float64]] = []
    for start in range(0, samples, _CHUNK):
        drawn = generator.random((min(_CHUNK, samples - start), len(confidence))) < confidence
        found.append(np.abs((drawn - confidence) @ member).sum(1) / len(confidence))
    return np.concatenate(found)
