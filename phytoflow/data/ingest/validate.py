"""What is wrong with a folder of photos: said, listed, and refused where training would be meaningless."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from phytoflow.data.ingest.walk import class_folders
from phytoflow.errors import DataError

DUPLICATE, CONFLICT = "exact duplicate", "label conflict"
_SAME_AS, _TWO_LABELS = "duplicate of ", "the same content under the labels "
_SPLIT_NAMES = {"train", "training", "val", "valid", "validation", "test", "testing"}
_LAYOUT = "give a folder with one sub-folder a class, e.g. photos/healthy/1.jpg and photos/rust/2.jpg"


def exclude_duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """Says, in ``reason``, which photos are not used because another file has the same content.

    Of files with the same content the first by path is kept; where they have different labels, none is.

    Args:
        table: As ``scan`` gives it, sorted by path.
    """
    usable = table[table["reason"] == ""]
    repeated = usable[usable.duplicated("sha256", keep=False)]
    reason = table["reason"].copy()
    for _, same in repeated.groupby("sha256"):
        labels = sorted(same["label"].unique())
        if len(labels) > 1:
            reason[same.index] = _TWO_LABELS + " and ".join(labels)
        else:
            reason[same.index[1:]] = _SAME_AS + same["path"].iloc[0]
    return table.assign(reason=reason)


def require_class_folders(root: Path) -> list[str]:
    """Looks at the folders only, before a photo is read.

    Returns:
        The labels of the class folders.

    Raises:
        DataError: ``root`` is no folder, has no class folders, or has folders of splits.
    """
    folders = class_folders(root)
    if not folders:
        raise DataError(f"there are no class folders in {root}", remedy=_LAYOUT)
    if {name.lower() for name in folders} <= _SPLIT_NAMES:
        what = f"the folders {', '.join(folders)} of {root} are splits, not classes"
        raise DataError(
            what, remedy="give one folder of classes with all photos; phytoflow splits them itself"
        )
    return folders


def require_trainable(table: pd.DataFrame) -> None:
    """Stops before anything is spent on photos that cannot make a classifier.

    Args:
        table: With the reasons of ``scan`` and ``exclude_duplicates``.

    Raises:
        DataError: No usable photo, one class, or a class without any usable photo.
    """
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


def kind_of(reason: str) -> str:
    """The kind of a reason in words; the reason itself may name a file or quote the system."""
    if reason.startswith(_SAME_AS):
        return DUPLICATE
    return CONFLICT if reason.startswith(_TWO_LABELS) else reason.partition(":")[0].replace("_", " ")


def _opened(table: pd.DataFrame) -> pd.DataFrame:
    """Files meant as photos: neither hidden, nor loose, nor a class's notes in a text file."""
    return table[
        (table["label"] != "") & ~table["reason"].isin(["hidden or system file", "symbolic link loop"])
    ]


def _reasons(table: pd.DataFrame) -> str:
    counts = table["reason"].map(kind_of).value_counts()
    return ", ".join(f"{count} {reason}" for reason, count in counts.items())
