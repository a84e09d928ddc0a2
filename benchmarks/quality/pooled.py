"""What the test photos of several splits say together: those of one split of a small set are too few."""

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
_SAMPLES, _LEVEL, _BINS, _SEED = 1000, 0.95, 15, 0


@dataclass(frozen=True)
class Together:
    """Figures over all answers; a photo that stood in two test sets was answered by two models.

    Attributes:
        answers: Number of them.
        photos: Different ones.
        calibration: Of all answers; the bootstrap keeps a group's answers together.
        error: Share of wrong answers.
        error_kept: The same among the surest nine in ten.
        refused: Share of photos called unknown; None where a bundle cannot tell.
    """

    answers: int
    photos: int
    calibration: Calibration
    error: float
    error_kept: float
    refused: float | None

    def __str__(self) -> str:
        """In words."""
        c = self.calibration
        refused = "" if self.refused is None else f"; refused as unknown {self.refused:.1%}"
        return (
            f"{self.answers} answers on {self.photos} photos: ECE {c.ece:.4f} ({c.interval[0]:.4f} to "
            f"{c.interval[1]:.4f}; by chance {c.ece_if_calibrated:.4f}, p {c.p_value:.2f}); "
            f"wrong {self.error:.2%}, of the surest {COVERAGE:.0%} {self.error_kept:.2%}{refused}"
        )


def read(output: Path) -> PhotoPredictions:
    """The answers of a `phytoflow run` on its test photos; of the last that was not taken from the cache."""
    found = output.glob(f"steps/*/evaluate/evaluation/{PREDICTIONS_FILE}")
    return PhotoPredictions.read(max(found, key=lambda file: file.stat().st_mtime_ns).parent)


def together(runs: Sequence[PhotoPredictions]) -> Together:
    """Figures over the answers of several runs on photos of one folder."""
    confidence = np.concatenate([run.confidence for run in runs])
    correct = np.concatenate([run.correct for run in runs])
    groups = np.unique([group for run in runs for group in run.groups], return_inverse=True)[1]
    told = [run.novelty for run in runs if run.novelty is not None]
    novelty = np.concatenate(told) if len(told) == len(runs) else None
    return Together(
        len(correct),
        len({path for run in runs for path in run.paths}),
        measure_calibration(
            confidence, correct, groups, bins=_BINS, samples=_SAMPLES, level=_LEVEL, seed=_SEED
        ),
        float((~correct).mean()),
        error_kept(ranking_confidence(confidence, novelty), correct),
        None if novelty is None else float((novelty > 1).mean()),
    )


def error_kept(sure: NDArray[np.float64], correct: NDArray[np.bool_]) -> float:
    """Share of wrong answers among the surest ``COVERAGE`` of them."""
    surest = np.argsort(-sure, kind="stable")[: round(COVERAGE * len(correct))]
    return float((~correct[surest]).mean())
