"""What is wrong with a folder of photos: said, listed, and refused where training would be meaningless."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phytoflow.data.findings import Finding, Findings, Level
from phytoflow.errors import DataError

TINY_CLASS = 20
IMBALANCE = 10.0
_SPLIT_NAMES = {"train", "training", "val", "valid", "validation", "test", "testing"}
_LAYOUT = "give a folder with one sub-folder a class, e.g. photos/healthy/1.jpg and photos/rust/2.jpg"


def exclude_duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """Says, in ``reason``, which photos are not used because another file has the same content.

    Of files with the same content the first by path is kept; where they have different labels, none is.

    Args:
        table: As ``scan`` gives it, sorted by path.
    """
    usable = table[table["reason"] == ""]
    by_content = usable.groupby("sha256")
    conflict = by_content["label"].transform("nunique") > 1
    kept = by_content["path"].transform("first")
    again = ~conflict & (kept != usable["path"])
    reason = table["reason"].copy()
    others = by_content["label"].transform(lambda labels: " and ".join(sorted(set(labels))))
    reason[conflict[conflict].index] = "the same content under the labels " + others[conflict]
    reason[again[again].index] = "duplicate of " + kept[again]
    return table.assign(reason=reason)


def refuse_meaningless(table: pd.DataFrame, folders: list[str]) -> None:
    """Stops before anything is spent.

    Args:
        table: With the reasons of ``scan`` and ``exclude_duplicates``.
        folders: Labels of the first-level folders.

    Raises:
        DataError: No class folders, no usable photo, one class, or a class without any usable photo.
    """
    if not folders:
        raise DataError(f"there are no class folders: {len(table)} files lie side by side", remedy=_LAYOUT)
    if {name.lower() for name in folders} <= _SPLIT_NAMES:
        what = f"the folders {', '.join(folders)} are splits, not classes"
        raise DataError(
            what, remedy="give one folder of classes with all photos; phytoflow splits them itself"
        )
    used = table[table["reason"] == ""].groupby("label").size()
    if used.empty:
        raise DataError(f"none of the {len(table)} files can be used: {_reasons(table)}", remedy=_LAYOUT)
    spoilt = sorted(set(_opened(table)["label"]) - set(used.index))
    if spoilt:
        reasons = _reasons(table[table["label"].isin(spoilt)])
        what = f"no photo of the class {', '.join(spoilt)} can be used: {reasons}"
        raise DataError(what, remedy="repair these photos, or move the folder away")
    if len(used) == 1:
        what = f"there is one class only, {used.index[0]}; a classifier needs two"
        raise DataError(what, remedy=f"{_LAYOUT}; if the classes lie one level deeper, give that folder")


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
        for kind, rows in excluded.groupby(excluded["reason"].map(_kind))
    ]


def _kind(reason: str) -> str:
    if reason.startswith("duplicate of"):
        return "exact duplicate"
    return "label conflict" if reason.startswith("the same content") else reason.partition(":")[0]


def _text(kind: str) -> str:
    if kind == "exact duplicate":
        return "Files with the same content as another, which is kept"
    if kind == "label conflict":
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


def _opened(table: pd.DataFrame) -> pd.DataFrame:
    """Files meant as photos: neither hidden, nor loose, nor a class's notes in a text file."""
    return table[
        (table["label"] != "") & ~table["reason"].isin(["hidden or system file", "symbolic link loop"])
    ]


def _reasons(table: pd.DataFrame) -> str:
    counts = table["reason"].map(_kind).value_counts()
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())
