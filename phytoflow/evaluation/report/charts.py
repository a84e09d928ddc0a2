"""The two pictures of an evaluation: which classes are taken for which, and what a confidence is worth."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np

from phytoflow.evaluation.metrics.calibration import Reliability
from phytoflow.evaluation.metrics.classification import Figures
from phytoflow.evaluation.metrics.selective import Selective

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_INK, _GREEN, _GREY = "#1d2b24", "#2f7d4f", "#8a968f"
_MOST_NUMBERS = 30  # classes; beyond it the cells are too small to hold their numbers


def confusion_figure(figures: Figures) -> Figure:
    """Confusion matrix: counts written in the cells, shaded by the share of the true class."""
    from matplotlib.figure import Figure

    counts = np.array(figures.confusion_matrix)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    side = 2.6 + 0.5 * len(counts)
    figure = Figure(figsize=(min(side + 0.6, 22), min(side, 20)), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Greens", vmin=0, vmax=1.15)
    ticks = range(len(figures.classes))
    names = [_short(name) for name in figures.classes]
    axes.set_xticks(ticks, names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, names)
    axes.set(xlabel="the model says", ylabel="the photo shows")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    if len(counts) <= _MOST_NUMBERS:
        _write_counts(axes, counts, shares)
    return figure


def reliability_figure(bins: Reliability, ece: float) -> Figure:
    """Reliability diagram (Guo et al. 2017): accuracy by confidence, and how many photos lie where."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 4.8), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
    middles, width = (bins.edges[:-1] + bins.edges[1:]) / 2, bins.edges[1]
    above.plot([0, 1], [0, 1], color=_GREY, linestyle="--", label="a confidence worth its word")
    above.bar(middles, np.nan_to_num(bins.accuracy), width * 0.92, color=_GREEN, alpha=0.35)
    above.plot(bins.confidence, bins.accuracy, "o", color=_INK, label=f"this model (mean gap {ece:.3f})")
    above.set(ylabel="share that is right", xlim=(0, 1), ylim=(0, 1.03))
    above.legend(frameon=False, loc="lower left", bbox_to_anchor=(-0.02, 1.0), fontsize=9)
    below.bar(middles, bins.counts, width * 0.92, color=_GREY)
    below.set(xlabel="confidence of the answer", ylabel="photos")
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    return figure


def risk_figure(selective: Selective) -> Figure:
    """Risk and coverage: the error among the answers kept, by the share that is kept."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.6, 3.2), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(selective.coverage, selective.error, color=_GREEN, linewidth=2)
    if selective.ask_below is not None:
        axes.axvline(1 - selective.asked, color=_GREY, linestyle="--", label="a person looks at the rest")
        axes.legend(frameon=False, fontsize=9, loc="upper left")
    axes.set(xlabel="share of photos answered, the surest first", ylabel="share that is wrong")
    axes.set(xlim=(0, 1.01), ylim=(0, max(selective.error) * 1.25))
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def png(figure: Figure) -> bytes:
    """The figure as a PNG file's bytes."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return buffer.getvalue()


def _write_counts(axes: Axes, counts: np.ndarray, shares: np.ndarray) -> None:
    for (row, column), count in np.ndenumerate(counts):
        if count:
            colour = "white" if shares[row, column] > 0.6 else _INK
            axes.text(column, row, f"{count}", ha="center", va="center", color=colour, fontsize=9)


def _short(name: str, most: int = 28) -> str:
    return name if len(name) <= most else f"{name[: most - 1]}…"
