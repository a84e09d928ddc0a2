"""The course of a training: ``history.csv`` and ``curves.png``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from phytoflow.training.engine.checkpoint_callback import Epoch


def write_history(epochs: Sequence[Epoch], folder: Path) -> Figure:
    """Writes ``history.csv`` and ``curves.png``.

    Args:
        epochs: One entry for each epoch: fit, epoch, rate and metrics.
        folder: An existing folder.

    Returns:
        The figure.
    """
    table = pd.DataFrame(list(epochs), columns=None if epochs else ["fit", "epoch", "rate"])
    table.to_csv(folder / "history.csv", index=False)
    figure = draw_curves(table)
    figure.savefig(folder / "curves.png", dpi=120)
    return figure


def draw_curves(table: pd.DataFrame) -> Figure:
    """Draws loss and macro-F1 by epoch, one line for each fit."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    for axes, metric in zip(figure.subplots(1, 2), ("loss", "macro_f1"), strict=True):
        for column in [str(c) for c in table.columns if str(c).endswith(f"/{metric}")]:
            part = column.split("/")[0]
            for fit, rows in table.dropna(subset=[column]).groupby("fit"):
                axes.plot(rows["epoch"], rows[column], marker=".", label=f"{fit}, {part}")
        axes.set_xlabel("epoch")
        axes.set_title(metric.replace("_", " "))
        if axes.lines:
            axes.legend(fontsize=7)
        else:
            reason = "solved without epochs" if table.empty else "evaluated once, at the end"
            axes.text(0.5, 0.5, reason, ha="center", transform=axes.transAxes)
    return figure
