"""The figures of a model on labelled photos, each with how far chance could move it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.sparse import csr_matrix

from phytoflow.config import EvaluationSettings
from phytoflow.evaluation.background import BackgroundProbe
from phytoflow.evaluation.calibration import Calibration, reliability
from phytoflow.evaluation.field_figures import FieldFigures
from phytoflow.evaluation.intervals import Interval, flawless_interval, percentile_interval, resampled_sums
from phytoflow.evaluation.leaks import LeakAudit
from phytoflow.evaluation.open_set import OpenSetFigures
from phytoflow.evaluation.predictions import PhotoPredictions
from phytoflow.evaluation.robustness import Robustness
from phytoflow.evaluation.selective import Selective
from phytoflow.evaluation.way_figures import Ways

METRICS_FILE = "metrics.json"
HEADLINES = ("accuracy", "macro_precision", "macro_recall", "macro_f1")
_LEAST_PROBABILITY = 1e-7  # of float32 softmax; keeps the log loss finite


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


class Unreadable(BaseModel):
    """A photo that could not be used, and why."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    path: str
    reason: str


class Metrics(Figures):
    """``metrics.json``: the figures of a bundle on test photos, and what they were measured on.

    Attributes:
        mean_latency_ms: Of the exported model, one photo at a time, decoding included; milliseconds.
        median_latency_ms: Likewise.
        p95_latency_ms: Likewise, 95th percentile.
        unreadable: Photos left out.
        trained_on: Photos among these that the bundle was trained on; they make the figures too good. None if
            the bundle does not say what it was trained on.
        data_hash: Of the data the bundle was trained on.
        photos_hash: Of the photos these figures were measured on.
        bundle_version: Names the bundle's content.
        runtime: What ran the model.
        code_version: Of the code that measured.
        seed: Of the bootstrap.
        calibration: The calibration error beside what chance makes of it.
        selective: What asking a person about the least sure answers is worth.
        robustness: Accuracy under the conditions of the field; None where ``evaluation.thorough`` was off.
        ways: What forms and test-time augmentation cost and bring; None likewise.
        open_set: What it does about photos of something else; None where the bundle cannot tell.
        leaks: Test photos with near copies in training; None where the training photos are not at hand.
        background: Whether the classes can be told without the leaf; None likewise.
        field: On a second collection of photos, where ``evaluation.field`` names one.
    """

    schema_version: int = 1
    mean_latency_ms: float
    median_latency_ms: float
    p95_latency_ms: float
    unreadable: tuple[Unreadable, ...] = ()
    trained_on: int | None = None
    data_hash: str
    photos_hash: str
    bundle_version: str
    runtime: str
    code_version: str
    seed: int
    calibration: Calibration | None = None
    selective: Selective | None = None
    robustness: Robustness | None = None
    ways: Ways | None = None
    open_set: OpenSetFigures | None = None
    leaks: LeakAudit | None = None
    background: BackgroundProbe | None = None
    field: FieldFigures | None = None


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
        confidence=settings.confidence,
        intervals=_intervals(point, resampled, groups, settings.confidence),
        classes=predictions.classes,
        absent_classes=tuple(c for c, n in zip(predictions.classes, point.support, strict=True) if n == 0),
        per_class=_per_class(predictions, point, resampled, settings.confidence),
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
