"""An evaluation as the plain data that Kubeflow Pipelines' own views take; knows nothing of kfp."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.report.remarks import remarks, verdict
from phytoflow.evaluation.results import METRICS_FILE, Metrics

_MOST_POINTS = 200  # of a curve: the view is drawn in a browser


class Roc(NamedTuple):
    """A receiver operating characteristic; equally long lists of finite numbers."""

    fpr: list[float]
    tpr: list[float]
    threshold: list[float]


@dataclass(frozen=True)
class Views:
    """What each view shows.

    Attributes:
        scalars: Figures by name.
        classes: Categories of the confusion matrix.
        confusion_matrix: Counts; rows are true classes.
        roc: Micro-averaged over the classes, one against the rest.
        roc_by_class: Of each class that has test photos, one against the rest.
        markdown: The figures in a few lines.
    """

    scalars: dict[str, float]
    classes: list[str]
    confusion_matrix: list[list[int]]
    roc: Roc
    roc_by_class: dict[str, Roc]
    markdown: str


def views(evaluation: Path) -> Views:
    """Reads an evaluation folder.

    Args:
        evaluation: Folder that ``evaluate`` wrote.
    """
    metrics = Metrics.model_validate_json((evaluation / METRICS_FILE).read_text())
    predictions = PhotoPredictions.read(evaluation)
    truth = np.eye(len(predictions.classes), dtype=bool)[predictions.labels]
    return Views(
        scalars=_scalars(metrics),
        classes=list(metrics.classes),
        confusion_matrix=[list(row) for row in metrics.confusion_matrix],
        roc=_roc(truth.ravel(), predictions.probabilities.ravel()),
        roc_by_class={
            name: _roc(truth[:, i], predictions.probabilities[:, i])
            for i, name in enumerate(predictions.classes)
            if 0 < truth[:, i].sum() < len(truth)
        },
        markdown=_markdown(metrics),
    )


def _scalars(metrics: Metrics) -> dict[str, float]:
    names = ("accuracy", "macro_precision", "macro_recall", "macro_f1", "ece", "log_loss", "mean_latency_ms")
    values = {name: float(getattr(metrics, name)) for name in names}
    for name, (low, high) in metrics.intervals.items():
        values |= {f"{name}_low": low, f"{name}_high": high}
    values |= {"photos": float(metrics.photos), "groups": float(metrics.groups)}
    return values | _honesty(metrics)


def _honesty(metrics: Metrics) -> dict[str, float]:
    """What says how far the other figures can be trusted, where it was measured."""
    values: dict[str, float] = {}
    if gap := metrics.calibration:
        values |= {"ece_by_chance": gap.by_chance, "ece_beyond_chance": gap.beyond_chance}
    if sure := metrics.selective:
        values |= {"ece_uncalibrated": sure.ece_uncalibrated, "risk_coverage_area": sure.area}
    if rough := metrics.robustness:
        values |= {
            "mean_corruption_error": rough.mean_corruption_error,
            "worst_class_corrupted": rough.worst_class[1],
            "worst_group_corrupted": rough.worst_group[2],
        }
        if changed := rough.background:
            values["other_background"] = changed.accuracy[-1]
    if found := metrics.leaks:
        values |= {
            "nearest_in_training_random_split": found.random.nearest,
            "nearest_in_training": found.ours.nearest,
        }
        values |= {"probe_random_split": found.random.accuracy, "probe": found.ours.accuracy}
    if probe := metrics.background:
        values["background_probe"] = max(probe.eight_pixels, probe.border, probe.masked)
    if known := metrics.open_set:
        values["refused"] = known.refused
        if strange := known.strangers:
            values |= {"strangers_auroc": strange.auroc, "strangers_fpr95": strange.fpr95}
    if there := metrics.field:
        values |= {"field_accuracy": there.accuracy, "field_macro_f1": there.macro_f1}
        values |= {f"field_{name}_lost": drop.lost for name, drop in there.drops.items()}
    return values


def _roc(positive: NDArray[np.bool_], score: NDArray[np.float64]) -> Roc:
    """The curve, thinned evenly; its first threshold, infinite by definition, is written as 1."""
    from sklearn.metrics import roc_curve

    fpr, tpr, threshold = roc_curve(positive, score)
    kept = np.unique(np.linspace(0, len(fpr) - 1, min(len(fpr), _MOST_POINTS)).round().astype(int))
    finite = np.where(np.isfinite(threshold), threshold, 1.0)
    return Roc(fpr[kept].tolist(), tpr[kept].tolist(), finite[kept].tolist())


def _markdown(metrics: Metrics) -> str:
    rows = [
        f"| {name.replace('_', '-')} | {getattr(metrics, name):.3f} | {low:.3f} to {high:.3f} |"
        for name, (low, high) in metrics.intervals.items()
    ]
    rows.append(f"| calibration error | {metrics.ece:.3f} | |")
    rows.append(f"| mean latency | {metrics.mean_latency_ms:.1f} ms | |")
    head = [
        f"# {verdict(metrics)}",
        "",
        f"| figure | value | {metrics.confidence:.0%} interval |",
        "|---|---|---|",
    ]
    return "\n".join([*head, *rows, "", *[f"- {remark}" for remark in remarks(metrics)]]) + "\n"
