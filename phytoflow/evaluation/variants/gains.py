"""Metrics of variants over the same bootstrap resamples, so that their differences can be tested."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack

from phytoflow.evaluation.metrics.bootstrap import Interval, percentile_interval, resampled_sums
from phytoflow.evaluation.metrics.calibration import bin_numbers
from phytoflow.evaluation.metrics.class_scores import class_counts, score_counts
from phytoflow.evaluation.settings import EvaluationSettings

METRICS = ("accuracy", "macro_f1", "ece")
_Array = NDArray[np.float64]


@dataclass(frozen=True)
class ResampledMetrics:
    """Metrics of one variant. All variants' resamples draw the same groups.

    Attributes:
        point: Each metric on all photos.
        resampled: Each metric in every resample, float64 [samples].
    """

    point: dict[str, float]
    resampled: dict[str, _Array]

    @classmethod
    def measure(
        cls,
        probabilities: _Array,
        labels: NDArray[np.int64],
        groups: NDArray[np.int64],
        settings: EvaluationSettings,
        seed: int,
    ) -> ResampledMetrics:
        """Measures one variant.

        Args:
            probabilities: float64 [N, C].
            labels: int64 [N].
            groups: int64 [N], group numbers from 0.
            settings: Number of resamples and bins.
            seed: Seed of the bootstrap; the same for all variants.
        """
        bins = settings.calibration_bins
        rows = _contributions(probabilities, labels, bins)
        sums = resampled_sums(rows, groups, settings.bootstrap_samples, seed)
        point = _metrics(np.asarray(rows.sum(axis=0)).ravel(), bins)
        return cls({name: float(value) for name, value in point.items()}, _metrics(sums, bins))

    def gains(self, first: ResampledMetrics) -> dict[str, float]:
        """Each metric minus that of the first variant."""
        return {name: self.point[name] - first.point[name] for name in METRICS}

    def intervals(self, first: ResampledMetrics, level: float) -> dict[str, Interval]:
        """Confidence interval of each gain."""
        return {
            name: percentile_interval(self.resampled[name] - first.resampled[name], level) for name in METRICS
        }


def _contributions(probabilities: _Array, labels: NDArray[np.int64], bins: int) -> csr_matrix:
    """Each photo's part of all sums: class counts [3 * C], and the gap of its confidence bin [bins]."""
    predicted, confidence = probabilities.argmax(1), probabilities.max(1)
    gaps = np.eye(bins)[bin_numbers(confidence, bins)] * ((predicted == labels) - confidence)[:, None]
    counts = class_counts(labels, predicted, probabilities.shape[1])
    return hstack([counts, csr_matrix(gaps)], format="csr")


def _metrics(sums: _Array, bins: int) -> dict[str, _Array]:
    """Sums [..., 3 * C + bins] to each metric [...]."""
    scores = score_counts(sums[..., :-bins])
    headline = scores.headline_metrics()
    ece = np.abs(sums[..., -bins:]).sum(-1) / scores.support.sum(-1)
    return {"accuracy": headline["accuracy"], "macro_f1": headline["macro_f1"], "ece": ece}
