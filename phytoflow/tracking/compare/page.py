"""The page of `phytoflow runs compare --html`: runs side by side, curves laid over each other."""

from __future__ import annotations

from pathlib import Path

from markupsafe import Markup

from phytoflow.html.charts import new_axes, svg
from phytoflow.html.page import render_page
from phytoflow.html.palette import light
from phytoflow.storage.atomic import atomic_file
from phytoflow.tracking.compare.comparison import RunComparison
from phytoflow.tracking.compare.text import format_cell

_TEMPLATE = Path(__file__).with_name("page.html")
_HEIGHT = 2.6  # inches of a chart
_ROLES = ("train", "validation", "test", "red", "soft")  # colours of the runs, by the palette's names


def write_runs_page(comparison: RunComparison, output: Path) -> None:
    """Writes the page; raises StorageError if that is not possible."""
    text = render_page(
        _TEMPLATE,
        comparison=comparison,
        charts={name: _draw(comparison, name) for name in comparison.curves},
        cell=format_cell,
    )
    with atomic_file(output) as aside:
        aside.write_text(text, encoding="utf-8")


def _draw(comparison: RunComparison, name: str) -> Markup:
    figure, axes = new_axes(_HEIGHT)
    for number, run in enumerate(comparison.runs):
        if points := run.curves.get(name):
            steps, values = zip(*points, strict=True)
            color = light(_ROLES[number % len(_ROLES)])
            axes.plot(steps, values, color=color, linewidth=1.6, label=f"{number + 1}: {run.name}")
    axes.set_xlabel("step")
    axes.legend(frameon=False, fontsize=8, labelcolor=light("ink"))
    return svg(figure)
