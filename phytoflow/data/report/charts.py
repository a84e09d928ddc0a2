"""Pictures of a data set, as PNG or JPEG bytes for a page."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from phytoflow.data.images.decode import Limits, decode

COLOURS = {"train": "#3b7a57", "validation": "#d9a441", "test": "#7a5195"}
_THUMBNAIL = 120


def counts_figure(counts: pd.DataFrame) -> str:
    """Photos of each class by split, as bars; ``counts`` is labels by splits."""
    figure, axes = _axes(0.8 + 0.42 * len(counts))
    left = np.zeros(len(counts))
    for split, colour in COLOURS.items():
        axes.barh(_short(counts.index), counts[split], left=left, color=colour, label=split)
        left += counts[split].to_numpy()
    for at, total in enumerate(left):
        axes.text(total, at, f" {total:.0f}", va="center", fontsize=9)
    axes.invert_yaxis()
    axes.set_xlim(0, left.max() * 1.12)
    axes.set_xlabel("photos")
    figure.legend(loc="outside upper left", ncols=3, frameon=False)
    return _png(figure)


def sizes_figure(used: pd.DataFrame) -> str:
    """Width against height, one dot a size, the larger the more photos have it."""
    figure, axes = _axes(3.4)
    sizes = used.groupby(["width", "height"]).size()
    width, height = (sizes.index.get_level_values(name) for name in ("width", "height"))
    area = 12 + 300 * sizes.to_numpy() / sizes.sum()
    axes.scatter(width, height, s=area, color="#3b7a57", alpha=0.6, linewidths=0)
    axes.set_xlabel("width, pixels")
    axes.set_ylabel("height, pixels")
    axes.margins(0.15)
    return _png(figure)


def brightness_figure(used: pd.DataFrame) -> str:
    """The spread of each class's mean brightness."""
    by_label = used.groupby("label")["brightness"]
    figure, axes = _axes(0.9 + 0.42 * by_label.ngroups)
    labels = [str(label) for label, _ in by_label]
    style: dict[str, Any] = {
        "patch_artist": True,
        "widths": 0.6,
        "flierprops": {"markersize": 2, "alpha": 0.5},
    }
    boxes = axes.boxplot([values for _, values in by_label], vert=False, **style)
    axes.set_yticks(range(1, len(labels) + 1), _short(labels))
    for box in boxes["boxes"]:
        box.set(facecolor="#cfe3d6", edgecolor="#3b7a57")
    for line in boxes["medians"]:
        line.set(color="#22543d")
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("mean brightness: 0 black, 1 white")
    return _png(figure)


def thumbnail(file: str | Path, limits: Limits) -> str:
    """A photo at most 120 pixels wide and high, upright."""
    image = decode(Path(file).read_bytes(), limits, size_hint=_THUMBNAIL)
    image.thumbnail((_THUMBNAIL, _THUMBNAIL))
    content = io.BytesIO()
    image.save(content, "JPEG", quality=80)
    return _data_uri("jpeg", content)


def _axes(height: float) -> tuple[Figure, Axes]:
    """Wide enough to be read on a phone: the figure is shown at most 6.4 inches wide."""
    figure = Figure(figsize=(6.4, min(height, 24)), layout="constrained")
    axes = figure.subplots()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _short(labels: pd.Index | list[str]) -> list[str]:
    """Labels that leave room for the bars, each still told from the others."""
    texts = [label if len(label) <= 28 else f"{label[:13]}…{label[-14:]}" for label in map(str, labels)]
    texts = [text.replace("$", r"\$") for text in texts]
    return texts if len(set(texts)) == len(texts) else [f"{at + 1}. {text}" for at, text in enumerate(texts)]


def _png(figure: Figure) -> str:
    content = io.BytesIO()
    figure.savefig(content, format="png", dpi=130, metadata={"Software": None})
    return _data_uri("png", content)


def _data_uri(kind: str, content: io.BytesIO) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content.getvalue()).decode()}"
