"""The figures of a model on labelled photos, each with how far chance could move it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.sparse import csr_matrix

from phytoflow.evaluation.metrics.bootstrap import (
    Interval,
    flawless_interval,
    percentile_interval,
    resampled_sums,
)
from phytoflow.evaluation.metrics.calibration import reliability
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.settings import EvaluationSettings

HEADLINES = ("accuracy", "macro_precision", "macro_recall", "macro_f1")
_LEAST_PROBABILITY = 1e-7  # of float32 softmax; keeps the log loss finite


@dataclass(frozen=True)
class Scores:
    """Figures of one or many confusion matrices, float64 [..., C] and [...]."""

    precision: NDArray[np.float64]
    recall: NDArray[np.float64]
    f1: NDArray[np.float64]
    support: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    def macro(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean over the classes with photos: [..., C] to [...]."""
        present = self.support > 0
        return (values * present).sum(-1) / present.sum(-1)

    def headlines(self) -> dict[str, NDArray[np.float64]]:
        """The four figures that sum a model up."""
        macros = (self.macro(self.precision), self.macro(self.recall), self.macro(self.f1))
        return dict(zip(HEADLINES, (self.accuracy, *macros), strict=True))


def scores(confusion: NDArray[np.float64]) -> Scores:
    """Precision, recall and F1 from confusion matrices [..., C, C] (rows true, columns predicted)."""
    right = np.diagonal(confusion, axis1=-2, axis2=-1)
    support, given = confusion.sum(-1), confusion.sum(-2)
    precision, recall = _share(right, given), _share(right, support)
    return Scores(
        precision,
        recall,
        _share(2 * right, support + given),
        support,
        right.sum(-1) / confusion.sum((-2, -1)),
    )


def measure(predictions: PhotoPredictions, settings: EvaluationSettings, seed: int) -> Figures:
    """Computes every figure that labels and probabilities tell.

    Args:
        predictions: At least one photo.
        settings: Resamples, confidence and bins.
        seed: Of the bootstrap.
    """
    size = len(predictions.classes)
    cells = predictions.labels * size + predictions.predicted  # each photo's cell of the confusion matrix
    confusion = np.bincount(cells, minlength=size * size).reshape(size, size).astype(np.float64)
    point = scores(confusion)
    sums = resampled_sums(
        _one_hot(cells, size * size), predictions.group_numbers, settings.bootstrap_samples, seed
    )
    resampled = scores(sums.reshape(-1, size, size))
    groups = len(set(predictions.groups))
    bins = reliability(predictions.confidence, predictions.correct, settings.calibration_bins)
    return Figures(
        **{name: float(value) for name, value in point.headlines().items()},
        ece=bins.ece,
        log_loss=_log_loss(predictions),
        mean_confidence=float(predictions.confidence.mean()),
        photos=len(predictions.labels),
        groups=groups,
        confidence=settings.confidence_level,
        intervals=_intervals(point, resampled, groups, settings.confidence_level),
        classes=predictions.classes,
        absent_classes=tuple(c for c, n in zip(predictions.classes, point.support, strict=True) if n == 0),
        per_class=_per_class(predictions, point, resampled, settings.confidence_level),
        confusion_matrix=tuple(tuple(int(n) for n in row) for row in confusion),
    )


def _one_hot(numbers: NDArray[np.int64], size: int) -> csr_matrix:
    """Sparse [N, size]: classes squared make a wide table."""
    rows = np.arange(len(numbers))
    return csr_matrix((np.ones(len(numbers)), (rows, numbers)), shape=(len(numbers), size))


def _share(part: NDArray[np.float64], whole: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.divide(part, whole, out=np.zeros_like(whole), where=whole > 0)


def _log_loss(predictions: PhotoPredictions) -> float:
    given = predictions.probabilities[np.arange(len(predictions.labels)), predictions.labels]
    return float(-np.log(np.maximum(given, _LEAST_PROBABILITY)).mean())


def _intervals(point: Scores, resampled: Scores, groups: int, confidence: float) -> dict[str, Interval]:
    if point.accuracy == 1:
        return dict.fromkeys(HEADLINES, flawless_interval(groups, confidence))
    return {name: percentile_interval(v, confidence) for name, v in resampled.headlines().items()}


def _per_class(
    predictions: PhotoPredictions, point: Scores, resampled: Scores, confidence: float
) -> dict[str, ClassMetrics]:
    groups = [_groups_of(predictions, number) for number in range(len(predictions.classes))]
    return {
        name: ClassMetrics(
            precision=float(point.precision[i]),
            recall=float(point.recall[i]),
            f1=float(point.f1[i]),
            support=int(point.support[i]),
            groups=groups[i],
            f1_interval=_class_interval(resampled, i, float(point.f1[i]), groups[i], confidence),
            auroc=_auroc(predictions.labels == i, predictions.probabilities[:, i]),
        )
        for i, name in enumerate(predictions.classes)
    }


def _groups_of(predictions: PhotoPredictions, number: int) -> int:
    return len(np.unique(predictions.group_numbers[predictions.labels == number]))


def _class_interval(
    resampled: Scores, number: int, f1: float, groups: int, confidence: float
) -> Interval | None:
    if not groups:
        return None
    if f1 == 1:
        return flawless_interval(groups, confidence)
    drawn = resampled.support[:, number] > 0
    return percentile_interval(resampled.f1[drawn, number], confidence)


def _auroc(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> float | None:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(positive, score)) if 0 < positive.sum() < len(positive) else None


class ClassMetrics(BaseModel):
    """Figures of one class.

    Attributes:
        precision: Share right among photos given this class; 0 if none was.
        recall: Share found among photos of this class; 0 if there are none.
        f1: Harmonic mean of both.
        support: Test photos of this class.
        groups: Groups they come from.
        f1_interval: Interval of f1; None for a class without test photos.
        auroc: Area under the one-vs-rest ROC; None if the class has no test photo, or all of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    precision: float
    recall: float
    f1: float
    support: int
    groups: int
    f1_interval: Interval | None
    auroc: float | None


class Figures(BaseModel):
    """What labels and probabilities alone tell. Shares are in 0..1.

    Macro figures are means over the classes that have test photos; a photo wrongly given a class that has
    none counts as missed by its own. Rows of the confusion matrix are true classes, columns predicted ones.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    ece: float
    log_loss: float
    mean_confidence: float
    photos: int
    groups: int
    confidence: float
    intervals: dict[str, Interval]
    classes: tuple[str, ...]
    absent_classes: tuple[str, ...]
    per_class: dict[str, ClassMetrics]
    confusion_matrix: tuple[tuple[int, ...], ...]
