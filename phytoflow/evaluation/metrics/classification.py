"""Classification metrics of a model on labelled photos, each with its confidence interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.metrics.bootstrap import Interval, resampled_sums, share_interval
from phytoflow.evaluation.metrics.calibration import bin_by_confidence
from phytoflow.evaluation.metrics.class_scores import ClassScores, class_counts, score_counts
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.settings import EvaluationSettings

_MIN_PROBABILITY = 1e-7  # resolution of a float32 softmax; keeps the log loss finite


class ClassMetrics(BaseModel):
    """Metrics of one class.

    Attributes:
        precision: Share of correct answers among photos given this class; 0 if no photo was.
        recall: Share of this class's photos that were given it; 0 if there are none.
        f1: Harmonic mean of precision and recall.
        support: Number of test photos of this class.
        groups: Number of groups they come from.
        f1_interval: Confidence interval of ``f1``; None for a class without test photos.
        auroc: Area under the one-vs-rest ROC curve; None if the class has no test photo, or all of them.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    precision: float
    recall: float
    f1: float
    support: int
    groups: int
    f1_interval: Interval | None
    auroc: float | None


class ClassificationMetrics(BaseModel):
    """Metrics that follow from labels and probabilities alone. Shares are in 0..1.

    Macro averages are taken over the classes that have test photos. A photo that was given a class without
    test photos counts as missed by its own class.

    Attributes:
        accuracy: Share of photos given their class.
        macro_precision: Mean precision over classes.
        macro_recall: Mean recall over classes.
        macro_f1: Mean F1 over classes.
        ece: Expected calibration error.
        log_loss: Mean negative log-likelihood of the true class, nats.
        mean_confidence: Mean probability of the predicted class.
        photos: Number of photos.
        groups: Number of separate things they show.
        confidence_level: Level of all intervals, e.g. 0.95.
        intervals: Confidence intervals of the four headline metrics, by name.
        classes: Class names.
        absent_classes: Classes without a test photo.
        per_class: Metrics of each class.
        confusion_matrix: Counts; rows are true classes, columns predicted ones.
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
    confidence_level: float
    intervals: dict[str, Interval]
    classes: tuple[str, ...]
    absent_classes: tuple[str, ...]
    per_class: dict[str, ClassMetrics]
    confusion_matrix: tuple[tuple[int, ...], ...]

    @property
    def correct(self) -> int:
        """Number of photos given their class."""
        return sum(row[number] for number, row in enumerate(self.confusion_matrix))


def measure_classification(
    predictions: PhotoPredictions, settings: EvaluationSettings, seed: int
) -> ClassificationMetrics:
    """Computes all metrics that follow from labels and probabilities.

    Args:
        predictions: At least one photo.
        settings: Number of resamples, confidence level and bins.
        seed: Seed of the bootstrap.
    """
    counts = class_counts(predictions.labels, predictions.predicted, len(predictions.classes))
    sums = resampled_sums(counts, predictions.group_numbers, settings.bootstrap_samples, seed)
    point, resampled = score_counts(np.asarray(counts.sum(axis=0)).ravel()), score_counts(sums)
    level = settings.confidence_level
    bins = bin_by_confidence(predictions.confidence, predictions.correct, settings.calibration_bins)
    return ClassificationMetrics(
        **{name: float(value) for name, value in point.headline_metrics().items()},
        ece=bins.ece,
        log_loss=_log_loss(predictions),
        mean_confidence=float(predictions.confidence.mean()),
        photos=len(predictions.labels),
        groups=len(set(predictions.groups)),
        confidence_level=level,
        intervals=_intervals(predictions, point, resampled, level),
        classes=predictions.classes,
        absent_classes=_absent_classes(predictions, point),
        per_class=_per_class(predictions, point, resampled, level),
        confusion_matrix=_confusion_matrix(predictions),
    )


def _confusion_matrix(predictions: PhotoPredictions) -> tuple[tuple[int, ...], ...]:
    size = len(predictions.classes)
    cells = predictions.labels * size + predictions.predicted  # each photo's cell, row by row
    matrix = np.bincount(cells, minlength=size * size).reshape(size, size)
    return tuple(tuple(row) for row in matrix.tolist())


def _absent_classes(predictions: PhotoPredictions, point: ClassScores) -> tuple[str, ...]:
    return tuple(name for name, n in zip(predictions.classes, point.support, strict=True) if n == 0)


def _log_loss(predictions: PhotoPredictions) -> float:
    of_true_class = predictions.probabilities[np.arange(len(predictions.labels)), predictions.labels]
    return float(-np.log(np.maximum(of_true_class, _MIN_PROBABILITY)).mean())


def _intervals(
    predictions: PhotoPredictions, point: ClassScores, resampled: ClassScores, level: float
) -> dict[str, Interval]:
    photos, groups = len(predictions.labels), len(set(predictions.groups))
    values = resampled.headline_metrics()
    return {
        name: share_interval(float(value), values[name], photos=photos, groups=groups, level=level)
        for name, value in point.headline_metrics().items()
    }


def _per_class(
    predictions: PhotoPredictions, point: ClassScores, resampled: ClassScores, level: float
) -> dict[str, ClassMetrics]:
    return {
        name: _class_metrics(predictions, point, resampled, number, level)
        for number, name in enumerate(predictions.classes)
    }


def _class_metrics(
    predictions: PhotoPredictions,
    point: ClassScores,
    resampled: ClassScores,
    number: int,
    level: float,
) -> ClassMetrics:
    own = predictions.labels == number
    groups = len(np.unique(predictions.group_numbers[own]))
    drawn = resampled.support[:, number] > 0  # a resample without the class says nothing of it
    f1, support = float(point.f1[number]), int(point.support[number])
    interval = None
    if support:
        values = resampled.f1[drawn, number]
        interval = share_interval(f1, values, photos=support, groups=groups, level=level)
    return ClassMetrics(
        precision=float(point.precision[number]),
        recall=float(point.recall[number]),
        f1=f1,
        support=support,
        groups=groups,
        f1_interval=interval,
        auroc=_auroc(own, predictions.probabilities[:, number]),
    )


def _auroc(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> float | None:
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(positive, score)) if 0 < positive.sum() < len(positive) else None
