"""Metrics over the test photos of several splits: those of one split of a small set are too few."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from phytoflow.evaluation.metrics.calibration import Calibration, measure_calibration
from phytoflow.evaluation.metrics.selective import ranking_confidence
from phytoflow.evaluation.predictions.table import PREDICTIONS_FILE, PhotoPredictions

COVERAGE = 0.9
_SAMPLES, _LEVEL, _BINS, _SEED = 1000, 0.95, 15, 0  # of the calibration's bootstrap


@dataclass(frozen=True)
class PooledMetrics:
    """Metrics over all predictions; a photo in two test sets was classified by two models.

    Attributes:
        predictions: Number of predictions.
        photos: Number of different photos.
        calibration: Calibration over all predictions; the bootstrap resamples groups.
        error: Error rate.
        selective_risk: Error rate among the most confident nine in ten.
        false_positive_rate: Share of photos called unknown; None for bundles without OOD detection.
    """

    predictions: int
    photos: int
    calibration: Calibration
    error: float
    selective_risk: float
    false_positive_rate: float | None

    def __str__(self) -> str:
        """One sentence."""
        c = self.calibration
        unknown = "" if self.false_positive_rate is None else f"; unknown {self.false_positive_rate:.1%}"
        return (
            f"{self.predictions} predictions for {self.photos} photos: ECE {c.ece:.4f} ({c.interval[0]:.4f} "
            f"to {c.interval[1]:.4f}; {c.ece_if_calibrated:.4f} if calibrated, p {c.p_value:.2f}); "
            f"wrong {self.error:.2%}, of the most confident {COVERAGE:.0%} {self.selective_risk:.2%}{unknown}"
        )


def read_predictions(output: Path) -> PhotoPredictions:
    """Predictions of a `phytoflow run` for its test photos; of the last that was not taken from the cache."""
    files = output.glob(f"steps/*/evaluate/evaluation/{PREDICTIONS_FILE}")
    return PhotoPredictions.read(max(files, key=lambda file: file.stat().st_mtime_ns).parent)


def pool(runs: Sequence[PhotoPredictions]) -> PooledMetrics:
    """Metrics over the predictions of several runs on photos of one folder."""
    confidence = np.concatenate([run.confidence for run in runs])
    correct = np.concatenate([run.correct for run in runs])
    groups = np.unique([group for run in runs for group in run.groups], return_inverse=True)[1]
    novelties = [run.novelty for run in runs if run.novelty is not None]
    novelty = np.concatenate(novelties) if len(novelties) == len(runs) else None
    return PooledMetrics(
        predictions=len(correct),
        photos=len({path for run in runs for path in run.paths}),
        calibration=measure_calibration(
            confidence, correct, groups, bins=_BINS, samples=_SAMPLES, level=_LEVEL, seed=_SEED
        ),
        error=float((~correct).mean()),
        selective_risk=selective_risk(ranking_confidence(confidence, novelty), correct),
        false_positive_rate=None if novelty is None else float((novelty > 1).mean()),
    )


def selective_risk(ranking: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    """Error rate among the most confident ``COVERAGE`` of the predictions."""
    kept = np.argsort(-ranking, kind="stable")[: round(COVERAGE * len(correct))]
    return float((~correct[kept]).mean())
