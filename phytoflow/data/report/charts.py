"""The charts of the data page: photos a class and split, their sizes, their brightness."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

from phytoflow.data.splits import SPLITS
from phytoflow.html.charts import new_axes, short_labels, svg
from phytoflow.html.palette import light

# More points than this become one picture within the SVG, which does not follow the page's colour scheme:
# a set of 50,000 sizes would be 50,000 elements.
_MOST_POINTS = 2000
_BAR = 0.42  # inches that one class takes in a bar chart or box plot


def draw_counts(counts: pd.DataFrame) -> Markup:
    """Draws the photos of each class by split, as stacked bars; ``counts`` is labels by splits."""
    figure, axes = new_axes(0.8 + _BAR * len(counts))
    left = np.zeros(len(counts))
    # Bars stand at numbers, not at names: two classes may have the same shortened name.
    at = np.arange(len(counts))
    for split in SPLITS:
        axes.barh(at, counts[split], left=left, color=light(split), label=split)
        left += counts[split].to_numpy()
    for place, total in enumerate(left):
        axes.text(total, place, f" {total:.0f}", va="center", fontsize=9, color=light("ink"))
    axes.set_yticks(at, short_labels(counts.index))
    axes.invert_yaxis()
    axes.set_xlim(0, left.max() * 1.12)
    axes.set_xlabel("photos")
    figure.legend(loc="outside upper left", ncols=3, frameon=False, labelcolor=light("ink"))
    return svg(figure)


def draw_sizes(used: pd.DataFrame) -> Markup:
    """Draws width against height in pixels: one dot a size, the larger the more photos have it."""
    figure, axes = new_axes(3.4)
    sizes = used.groupby(["width", "height"]).size()
    width, height = (sizes.index.get_level_values(name) for name in ("width", "height"))
    area = 12 + 300 * sizes.to_numpy() / sizes.sum()
    many = len(sizes) > _MOST_POINTS
    axes.scatter(width, height, s=area, color=light("train"), alpha=0.6, linewidths=0, rasterized=many)
    axes.set_xlabel("width, pixels")
    axes.set_ylabel("height, pixels")
    axes.margins(0.15)
    return svg(figure)


def draw_brightness(used: pd.DataFrame) -> Markup:
    """Draws the distribution of each class's mean brightness as box plots."""
    by_label = used.groupby("label")["brightness"]
    figure, axes = new_axes(0.9 + _BAR * by_label.ngroups)
    outliers = {"marker": "o", "markersize": 2, "alpha": 0.5, "markeredgecolor": light("soft")}
    style: dict[str, Any] = {"patch_artist": True, "widths": 0.6, "flierprops": outliers}
    boxes = axes.boxplot([values for _, values in by_label], orientation="horizontal", **style)
    axes.set_yticks(range(1, by_label.ngroups + 1), short_labels(label for label, _ in by_label))
    for box in boxes["boxes"]:
        box.set(facecolor=light("pale"), edgecolor=light("train"))
    for line in (*boxes["medians"], *boxes["whiskers"], *boxes["caps"]):
        line.set(color=light("green"))
    for points in boxes["fliers"]:
        points.set_rasterized(len(used) > _MOST_POINTS)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("mean brightness: 0 black, 1 white")
    return svg(figure)
