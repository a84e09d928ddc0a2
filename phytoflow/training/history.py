"""The course of a training: ``history.csv`` and ``curves.png``."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from phytoflow.training.engine.fit import Epoch


def write_history(epochs: Sequence[Epoch], folder: Path) -> Figure:
    """Writes ``history.csv`` and ``curves.png``.

    Args:
        epochs: One dict an epoch: fit, epoch, rate and figures.
        folder: An existing folder.

    Returns:
        The figure.
    """
    table = pd.DataFrame(list(epochs), columns=None if epochs else ["fit", "epoch", "rate"])
    table.to_csv(folder / "history.csv", index=False)
    figure = curves(table)
    figure.savefig(folder / "curves.png", dpi=120)
    return figure


def curves(table: pd.DataFrame) -> Figure:
    """Loss and macro-F1 by epoch, one line a fit."""
    figure = Figure(figsize=(9, 3.5), layout="constrained")
    for axes, words in zip(figure.subplots(1, 2), ("loss", "macro_f1"), strict=True):
        for column in [c for c in table.columns if str(c).endswith(f"/{words}")]:
            for fit, rows in table.dropna(subset=[column]).groupby("fit"):
                axes.plot(
                    rows["epoch"], rows[column], marker=".", label=f"{fit}, {str(column).split('/')[0]}"
                )
        axes.set_xlabel("epoch")
        axes.set_title(words.replace("_", " "))
        if axes.lines:
            axes.legend(fontsize=7)
        else:
            why = "solved without epochs" if table.empty else "judged once, at the end"
            axes.text(0.5, 0.5, why, ha="center", transform=axes.transAxes)
    return figure
