"""The charts of an evaluation: reliability, risk and coverage, training curves, the confusion matrix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from phytoflow.evaluation.metrics.calibration import ReliabilityBins
from phytoflow.evaluation.metrics.classification import ClassificationMetrics
from phytoflow.evaluation.metrics.selective import RiskCoverage
from phytoflow.html.charts import new_axes, short_labels, style_axes
from phytoflow.html.palette import light

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_WIDTH = 4.2  # inches; still legible when it is scaled down to a phone
_MAX_NUMBERS = 30  # classes; with more the cells are too small for numbers
_CURVES = {"loss": "loss", "macro_f1": "macro-F1 on held-out photos"}  # column suffix and title


def draw_reliability(bins: ReliabilityBins) -> Figure:
    """Reliability diagram (Guo et al. 2017): accuracy by confidence, and how many photos are in each bin."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(_WIDTH, _WIDTH), layout="constrained")
    accuracy, counts = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    middles, width = (bins.edges[:-1] + bins.edges[1:]) / 2, bins.edges[1] * 0.92
    accuracy.plot([0, 1], [0, 1], color=light("soft"), linestyle="--", label="perfect calibration")
    accuracy.bar(middles, np.nan_to_num(bins.accuracy), width, color=light("green"), alpha=0.35)
    accuracy.plot(bins.confidence, bins.accuracy, "o", color=light("ink"), label="this model")
    accuracy.set(ylabel="share of correct answers", xlim=(0, 1), ylim=(0, 1.03))
    accuracy.legend(frameon=False, loc="upper left", fontsize=9, labelcolor=light("ink"))
    counts.bar(middles, bins.counts, width, color=light("soft"))
    counts.set(xlabel="confidence of the answer", ylabel="photos")
    for axes in (accuracy, counts):
        style_axes(axes)
    return figure


def draw_risk_coverage(selective: RiskCoverage) -> Figure | None:
    """Risk-coverage curve: the error rate by the share of photos answered; None without a mistake."""
    if max(selective.error) == 0:
        return None
    figure, axes = new_axes(3.0, _WIDTH)
    axes.plot(selective.coverage, selective.error, color=light("green"), linewidth=2)
    if selective.reject_below is not None:
        coverage = 1 - selective.rejection_rate
        axes.axvline(coverage, color=light("soft"), linestyle="--", label="a person checks the rest")
        axes.legend(frameon=False, fontsize=9, loc="upper left", labelcolor=light("ink"))
    axes.set(xlabel="share of photos answered, most confident first", ylabel="share of wrong answers")
    axes.set(xlim=(0, 1.01), ylim=(0, max(selective.error) * 1.25))
    return figure


def draw_training_curves(model: Path) -> list[Figure]:
    """Loss and macro-F1 by epoch from the trained model's ``history.csv``; only what was recorded.

    Args:
        model: The trained model's folder.
    """
    import pandas as pd

    file = model / "history.csv"
    if not file.is_file():
        return []
    table = pd.read_csv(file)
    charts = (_draw_curves(table, suffix, title) for suffix, title in _CURVES.items())
    return [chart for chart in charts if chart]


def draw_confusion(metrics: ClassificationMetrics) -> Figure:
    """Confusion matrix: counts in the cells, shaded by the share of the true class."""
    counts = np.array(metrics.confusion_matrix)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.0 + 0.4 * len(counts)
    figure, axes = new_axes(side, side)
    axes.imshow(shares, cmap="Greens", vmin=0, vmax=1.15)
    names = short_labels(metrics.classes)
    axes.set_xticks(range(len(names)), names, rotation=90)
    axes.set_yticks(range(len(names)), names)
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if len(counts) <= _MAX_NUMBERS:
        _write_counts(axes, counts, shares)
    return figure


def _draw_curves(table: pd.DataFrame, suffix: str, title: str) -> Figure | None:
    """One line per fit and split; None if nothing of this kind was recorded for two epochs."""
    columns = [str(column) for column in table.columns if str(column).endswith(f"/{suffix}")]
    lines = [
        (f"{fit}, {column.split('/')[0]}", rows["epoch"], rows[column])
        for column in columns
        for fit, rows in table.dropna(subset=[column]).groupby("fit", sort=False)
        if len(rows) > 1
    ]
    if not lines:
        return None
    figure, axes = new_axes(3.0, _WIDTH)
    for name, epochs, values in lines:
        axes.plot(epochs, values, marker=".", linewidth=1.2, label=name)
    axes.set(xlabel="epoch", ylabel=title)
    axes.legend(frameon=False, fontsize=8, labelcolor=light("ink"))
    return figure


def _write_counts(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    for (row, column), count in np.ndenumerate(counts):
        if count:
            color = light("panel") if shares[row, column] > 0.6 else light("ink")
            axes.text(column, row, f"{count}", ha="center", va="center", color=color, fontsize=9)
