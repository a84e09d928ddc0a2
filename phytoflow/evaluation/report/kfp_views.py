"""An evaluation as plain data for the views of Kubeflow Pipelines; does not import kfp."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.report.phrases import bullets
from phytoflow.evaluation.report.remarks import headline, remarks
from phytoflow.evaluation.results import Metrics, read_metrics
from phytoflow.evaluation.scalars import flatten_metrics

_MAX_POINTS = 200  # of a curve that a browser draws


class RocCurve(NamedTuple):
    """A receiver operating characteristic: equally long lists of finite numbers."""

    fpr: list[float]
    tpr: list[float]
    threshold: list[float]


@dataclass(frozen=True)
class KfpViews:
    """The content of each view.

    Attributes:
        scalars: All scalars by name; see ``phytoflow.evaluation.scalars``.
        classes: Categories of the confusion matrix.
        confusion_matrix: Counts; rows are true classes.
        roc: ROC curve, one-vs-rest, micro-averaged over the classes.
        markdown: The result in a few lines.
    """

    scalars: dict[str, float]
    classes: list[str]
    confusion_matrix: list[list[int]]
    roc: RocCurve
    markdown: str


def kfp_views(evaluation: Path) -> KfpViews:
    """Reads the folder of an evaluation.

    Args:
        evaluation: Folder that ``evaluate`` wrote.
    """
    metrics, predictions = read_metrics(evaluation), PhotoPredictions.read(evaluation)
    truth = np.eye(len(predictions.classes), dtype=bool)[predictions.labels]
    return KfpViews(
        scalars=flatten_metrics(metrics),
        classes=list(metrics.classes),
        confusion_matrix=[list(row) for row in metrics.confusion_matrix],
        roc=_roc_curve(truth.ravel(), predictions.probabilities.ravel()),
        markdown=_markdown(metrics),
    )


def _roc_curve(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> RocCurve:
    """The curve, thinned evenly. Its first threshold, infinite by definition, becomes 1."""
    from sklearn.metrics import roc_curve

    fpr, tpr, threshold = roc_curve(positive, score)
    points = np.unique(np.linspace(0, len(fpr) - 1, min(len(fpr), _MAX_POINTS)).round().astype(int))
    finite = np.where(np.isfinite(threshold), threshold, 1.0)
    return RocCurve(fpr[points].tolist(), tpr[points].tolist(), finite[points].tolist())


def _markdown(metrics: Metrics) -> str:
    rows = [
        f"| {name.replace('_', '-')} | {getattr(metrics, name):.3f} | {low:.3f} to {high:.3f} |"
        for name, (low, high) in metrics.intervals.items()
    ]
    rows.append(f"| calibration error | {metrics.ece:.3f} | |")
    rows.append(f"| mean latency | {metrics.mean_latency_ms:.1f} ms | |")
    head = [f"| metric | value | {metrics.confidence_level:.0%} interval |", "|---|---|---|"]
    return "\n".join([f"# {headline(metrics)}", "", *head, *rows, "", bullets(remarks(metrics))]) + "\n"
