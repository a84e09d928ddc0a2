"""Everything worth saying about a folder of photos, with file names."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phytoflow.data.ingest.findings import Finding, Findings, Level
from phytoflow.data.ingest.validate import CONFLICT, DUPLICATE, kind_of

TINY_CLASS = 20
IMBALANCE = 10.0


def find(table: pd.DataFrame, folders: list[str], near: NDArray[np.int64]) -> Findings:
    """Collects everything worth saying.

    Args:
        table: Every file, with its reason.
        folders: Labels of the first-level folders.
        near: Near-duplicates, pairs of index labels of ``table``.
    """
    used = table[table["reason"] == ""]
    classes = used.groupby("label").size()
    found = [*_exclusions(table), *_classes(classes, folders), *_oddities(used), *_near(table, near)]
    order = {"excluded": 0, "warning": 1, "note": 2}
    return Findings(
        files=len(table),
        used=len(used),
        classes={str(label): int(count) for label, count in classes.items()},
        imbalance_ratio=round(float(classes.max() / classes.min()), 3) if len(classes) else 0.0,
        findings=tuple(sorted(found, key=lambda finding: order[finding.level])),
    )


def _exclusions(table: pd.DataFrame) -> list[Finding]:
    excluded = table[table["reason"] != ""]
    return [
        Finding(kind=kind, level="excluded", count=len(rows), text=_text(kind), files=rows["path"])
        for kind, rows in excluded.groupby(excluded["reason"].map(kind_of))
    ]


def _text(kind: str) -> str:
    if kind == DUPLICATE:
        return "Files with the same content as another, which is kept"
    if kind == CONFLICT:
        return "Files with the same content as one under another label: which label is right?"
    return f"Files left out: {kind}"


def _classes(classes: pd.Series, folders: list[str]) -> list[Finding]:
    empty = [name for name in folders if name not in classes.index]
    tiny = [f"{label}: {count}" for label, count in classes.items() if count < TINY_CLASS]
    ratio = classes.max() / classes.min() if len(classes) else 1
    sizes = [f"{label}: {count}" for label, count in classes.sort_values().items()]
    return [
        *_finding("empty class", "warning", "Folders without photos, which make no class", empty),
        *_finding("tiny class", "warning", f"Classes of fewer than {TINY_CLASS} photos", tiny),
        *_finding(
            "imbalance",
            "warning",
            f"Unequal classes: the largest is {ratio:.1f} times the smallest",
            sizes if ratio >= IMBALANCE else [],
        ),
    ]


def _oddities(used: pd.DataFrame) -> list[Finding]:
    return [
        *_finding(
            "wrong extension",
            "note",
            "Photos of another format than their names say; used all the same",
            used.loc[used["misnamed"], "path"],
        ),
        *_finding(
            "animated",
            "note",
            "Photos of several frames, of which the first is used",
            used.loc[used["animated"], "path"],
        ),
    ]


def _near(table: pd.DataFrame, near: NDArray[np.int64]) -> list[Finding]:
    used = [(a, b) for a, b in near if not table["reason"][a] and not table["reason"][b]]
    across = [(a, b) for a, b in used if table["label"][a] != table["label"][b]]
    pairs = [f"{table['path'][a]} ~ {table['path'][b]}" for a, b in used]
    mixed = [f"{table['path'][a]} ~ {table['path'][b]}" for a, b in across]
    return [
        *_finding(
            "near-duplicate",
            "note",
            "Pairs of photos that look the same; each pair stays in one split",
            pairs,
        ),
        *_finding(
            "near-duplicate across labels",
            "warning",
            "Pairs of photos that look the same under two labels: is one of them wrong?",
            mixed,
        ),
    ]


def _finding(kind: str, level: Level, text: str, names: list[str] | pd.Series) -> list[Finding]:
    """The finding, or none where there are no names."""
    count = len(names)
    return [Finding(kind=kind, level=level, count=count, text=text, files=tuple(names))] if count else []
