"""A page to look at the data before believing any figure made from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from jinja2 import Environment, PackageLoader
from numpy.typing import NDArray

from phytoflow.data.images.decode import Limits
from phytoflow.data.ingest.findings import Findings
from phytoflow.data.report.charts import brightness_figure, counts_figure, sizes_figure, thumbnail
from phytoflow.data.splits import SPLITS

_SAMPLES = 12
_PAIRS = 12
_NAMES = 200


def data_page(
    table: pd.DataFrame, findings: Findings, near: NDArray[np.int64], seed: int, limits: Limits
) -> str:
    """Renders one self-contained HTML page: counts, sizes, brightness, samples, duplicates, findings.

    Args:
        table: Every file found, with ``group``, ``split`` and ``reason``.
        findings: What validation found.
        near: Near-duplicates, pairs of index labels of ``table``.
        seed: Of the samples shown.
        limits: What a photo may cost.
    """
    used = table[table["split"] != "excluded"]
    counts = pd.crosstab(used["label"], used["split"]).reindex(columns=list(SPLITS), fill_value=0)
    template = Environment(
        loader=PackageLoader("phytoflow.data.report", "."),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("page.html")
    return template.render(
        findings=findings,
        names=_NAMES,
        counts=[(label, *row) for label, row in zip(counts.index, counts.to_numpy(), strict=True)],
        splits=SPLITS,
        groups=used["group"].nunique(),
        largest_group=int(used.groupby("group").size().max()),
        figures=_figures(used, counts),
        samples=_samples(used, seed, limits),
        pairs=_pairs(table, near, limits),
        conflicts=_conflicts(table, limits),
    )


def _figures(used: pd.DataFrame, counts: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Title, plain words and picture of each figure."""
    return [
        (
            "Photos of each class",
            "Every class is in every split. Photos of one thing are in one split only.",
            counts_figure(counts),
        ),
        (
            "Sizes",
            "Each dot is a size; the larger, the more photos have it. Has one class its own?",
            sizes_figure(used),
        ),
        (
            "Brightness",
            "If one class is always brighter than another, a model may learn the light and not the leaf.",
            brightness_figure(used),
        ),
    ]


def _samples(used: pd.DataFrame, seed: int, limits: Limits) -> list[tuple[str, int, list[tuple[str, str]]]]:
    """Per class its label, its count and a few photos, of different groups as far as there are."""
    shown = []
    for label, rows in used.groupby("label"):
        mixed = rows.sample(frac=1, random_state=np.random.default_rng(seed))
        one_each = pd.concat([mixed.drop_duplicates("group"), mixed]).drop_duplicates("path")[:_SAMPLES]
        pictures = [
            (path, thumbnail(file, limits))
            for path, file in zip(one_each["path"], one_each["file"], strict=True)
        ]
        shown.append((str(label), len(rows), pictures))
    return shown


def _pairs(table: pd.DataFrame, near: NDArray[np.int64], limits: Limits) -> list[list[dict[str, Any]]]:
    """The first near-duplicates, those under two labels before the others."""
    used = [pair for pair in near if (table["reason"][pair] == "").all()]
    used.sort(key=lambda pair: table["label"][pair].nunique(), reverse=True)
    return [[_shown(table.loc[at], limits) for at in pair] for pair in used[:_PAIRS]]


def _conflicts(table: pd.DataFrame, limits: Limits) -> list[list[dict[str, Any]]]:
    """The first files with the same content under two labels."""
    conflict = table[table["reason"].str.startswith("the same content")]
    contents = [rows for _, rows in conflict.groupby("sha256", sort=False)][:_PAIRS]
    return [[_shown(row, limits) for _, row in rows.drop_duplicates("label").iterrows()] for rows in contents]


def _shown(row: pd.Series, limits: Limits) -> dict[str, Any]:
    return {"path": row["path"], "label": row["label"], "picture": thumbnail(row["file"], limits)}
