"""Renders ``data.html``: what to look at in the photos before trusting any metric computed from them."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup
from numpy.typing import NDArray

from phytoflow.data.images.limits import Limits
from phytoflow.data.images.thumbnail import thumbnail
from phytoflow.data.ingest.findings import Findings
from phytoflow.data.report.charts import draw_brightness, draw_counts, draw_sizes
from phytoflow.data.splits import SPLITS
from phytoflow.html.page import render_page
from phytoflow.storage.uri import read_bytes

_TEMPLATE = Path(__file__).with_name("page.html")
_THUMBNAIL_SIDE = 120  # pixels; a thumbnail takes about 3 kB of the page
_SAMPLES_PER_CLASS = 12
_MOST_PAIRS = 12
_MOST_NAMES = 200  # file names listed per finding; findings.json has them all


class Picture(NamedTuple):
    """A photo as the page shows it; ``picture`` is a JPEG thumbnail."""

    path: str
    label: str
    picture: bytes


class Chart(NamedTuple):
    """A chart with its heading and one sentence on how to read it."""

    title: str
    text: str
    svg: Markup


def render_data_page(
    table: pd.DataFrame, findings: Findings, near: NDArray[np.int64], seed: int, limits: Limits
) -> str:
    """Renders one self-contained HTML page: findings, counts, sizes, brightness, duplicates, samples.

    Args:
        table: One row a file, with ``group``, ``split`` and ``reason``.
        findings: The findings of validation.
        near: int64 [P, 2], near-duplicates as pairs of index labels of ``table``.
        seed: Decides which photos are shown as samples.
        limits: Maximum size of a photo.
    """
    used = table[table["split"] != "excluded"]
    counts = pd.crosstab(used["label"], used["split"]).reindex(columns=list(SPLITS), fill_value=0)
    return render_page(
        _TEMPLATE,
        findings=findings,
        names=_MOST_NAMES,
        counts=list(zip(counts.index, counts.to_numpy().tolist(), strict=True)),
        splits=SPLITS,
        groups=used["group"].nunique(),
        largest_group=int(used.groupby("group").size().max()),
        charts=_draw_charts(used, counts),
        samples=_sample_classes(used, seed, limits),
        most_pairs=_MOST_PAIRS,
        pairs=_show_near_duplicates(table, near, limits),
        conflicts=_show_conflicts(table, limits),
    )


def _draw_charts(used: pd.DataFrame, counts: pd.DataFrame) -> list[Chart]:
    return [
        Chart(
            "Photos of each class",
            "Every class is in every split. All photos of one group are in the same split.",
            draw_counts(counts),
        ),
        Chart(
            "Sizes",
            "Each dot is a size; a larger dot is a more frequent one. Does one class have a size of its own?",
            draw_sizes(used),
        ),
        Chart(
            "Brightness",
            "If one class is always brighter than another, a model may learn the light instead of the leaf.",
            draw_brightness(used),
        ),
    ]


def _sample_classes(used: pd.DataFrame, seed: int, limits: Limits) -> list[tuple[str, int, list[Picture]]]:
    """Returns each class's label, count and a few photos, from different groups as far as possible."""
    samples = []
    for label, rows in used.groupby("label"):
        shuffled = rows.sample(frac=1, random_state=np.random.default_rng(seed))
        one_per_group = shuffled.drop_duplicates("group")
        chosen = pd.concat([one_per_group, shuffled]).drop_duplicates("path")[:_SAMPLES_PER_CLASS]
        samples.append((str(label), len(rows), [_picture(row, limits) for _, row in chosen.iterrows()]))
    return samples


def _show_near_duplicates(
    table: pd.DataFrame, near: NDArray[np.int64], limits: Limits
) -> list[list[Picture]]:
    """Returns the first near-duplicate pairs; pairs with two different labels come first."""
    used = [pair for pair in near if (table["reason"][pair] == "").all()]
    used.sort(key=lambda pair: table["label"][pair].nunique(), reverse=True)
    return [[_picture(table.loc[at], limits) for at in pair] for pair in used[:_MOST_PAIRS]]


def _show_conflicts(table: pd.DataFrame, limits: Limits) -> list[list[Picture]]:
    """Returns the first files whose content occurs under two labels, one photo a label."""
    conflict = table[table["reason"].str.startswith("the same content")]
    contents = [rows for _, rows in conflict.groupby("sha256", sort=False)][:_MOST_PAIRS]
    return [
        [_picture(row, limits) for _, row in rows.drop_duplicates("label").iterrows()] for rows in contents
    ]


def _picture(row: pd.Series, limits: Limits) -> Picture:
    content = read_bytes(row["file"])
    return Picture(row["path"], row["label"], thumbnail(content, _THUMBNAIL_SIDE, limits))
