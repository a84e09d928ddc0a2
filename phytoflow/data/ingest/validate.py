"""What makes photos unfit to train on: the same content twice, and classes without usable photos."""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from phytoflow.data.ingest.file_names import name_some
from phytoflow.data.ingest.walk import LAYOUT_REMEDY
from phytoflow.errors import DataError

DUPLICATE, CONFLICT, LEAK = "exact duplicate", "label conflict", "in two parts of the split"
UNSUPPORTED = "unsupported_format"  # of the decoder; the format's name follows it
_SAME_AS, _TWO_LABELS, _SHOWS_THE_SAME = "duplicate of ", "the same content as ", "shows the same as "
_REPAIR = "open the files in an image viewer and save them again as JPEG or PNG, or remove them"
_REMEDIES = {
    CONFLICT: "keep each photo in the class that is right and delete its copies in the others",
    LEAK: "set data.predefined_split=ignore, so that phytoflow splits the photos itself",
    "too_many_bytes": "reduce these photos, or raise data.max_bytes",
    "too_many_pixels": "reduce these photos, or raise data.max_pixels",
    "too_small": "use the original photos and not thumbnails, or lower data.min_side",
    "unreadable": "give this user the right to read the files",
    "unreadable folder": "give this user the right to read the folder",
    "broken link": "mount or copy what the links lead to, or remove the links",
    "not in a class folder": "move each photo into a folder named like its class, or give data.labels_csv",
    "not in data.labels_csv": "give these photos a label in data.labels_csv",
    "not a photo": LAYOUT_REMEDY,
    "hidden or system file": LAYOUT_REMEDY,
}


def exclude_duplicates(table: pd.DataFrame) -> pd.DataFrame:
    """Writes into ``reason`` which photos are not used because another file has the same content.

    Of files with the same content the first by path is kept; if they have different labels, none is. In
    parts of a given split copies are counted part by part: across parts they are leaks.

    Args:
        table: As ``scan`` returns it, sorted by path.
    """
    usable = table[table["reason"] == ""]
    repeated = usable[usable.duplicated("sha256", keep=False)]
    reason = table["reason"].copy()
    for _, same in repeated.groupby("sha256"):
        if same["label"].nunique() > 1:
            reason[same.index] = [_conflict_reason(same, label) for label in same["label"]]
            continue
        for _, copies in same.groupby("part"):
            reason[copies.index[1:]] = _SAME_AS + copies["path"].iloc[0]
    return table.assign(reason=reason)


def _conflict_reason(same: pd.DataFrame, label: str) -> str:
    other = same[same["label"] != label].iloc[0]
    return f"{_TWO_LABELS}{other['path']}, which is labelled {other['label']}"


def leak_reason(path: str) -> str:
    """The reason of a photo that shows the same thing as one in another part of the split."""
    return _SHOWS_THE_SAME + path


def require_trainable(table: pd.DataFrame, root: str, labels_csv: str = "") -> None:
    """Refuses photos that cannot make a classifier, before anything is spent on them.

    Args:
        table: With the reasons of ``scan`` and ``exclude_duplicates``.
        root: Where the photos are, for the message.
        labels_csv: The file that names the labels; empty if the folders are the classes.

    Raises:
        DataError: There is no usable photo, one class only, or a class of which every photo is refused.
    """
    used = table[table["reason"] == ""].groupby("label").size()
    if used.empty:
        what = f"none of the {table['files'].sum()} files in {root} can be used: {_count_reasons(table)}"
        raise DataError(what, remedy=_remedies(table))
    meant = table[(table["label"] != "") & ~table["skipped"]]
    spoilt = sorted(set(meant["label"]) - set(used.index))
    if spoilt:
        rows = meant[meant["label"].isin(spoilt)]
        what = f"no photo of the class {', '.join(spoilt)} in {root} can be used: {_count_reasons(rows)}"
        raise DataError(what, remedy=f"{_remedies(rows)}; or move the folder away")
    if len(used) == 1:
        what = f"there is one class only in {root}, {used.index[0]}; a classifier needs two"
        raise DataError(what, remedy=_one_class_remedy(table, root, labels_csv))


def kind_of(reason: str) -> str:
    """The kind of a reason, which itself may name a file or quote the system."""
    for prefix, kind in ((_SAME_AS, DUPLICATE), (_TWO_LABELS, CONFLICT), (_SHOWS_THE_SAME, LEAK)):
        if reason.startswith(prefix):
            return kind
    return reason if reason.startswith(UNSUPPORTED) else reason.partition(":")[0]


def partner_of(reason: str) -> str:
    """The other file of a copy or a leak."""
    return reason.removeprefix(_SAME_AS).removeprefix(_SHOWS_THE_SAME)


def in_words(kind: str) -> str:
    """A kind as a person reads it: the decoder's reasons are also labels of metrics."""
    return kind.replace("_", " ")


def _count_reasons(table: pd.DataFrame) -> str:
    """Each kind with its count and its first files."""
    rows = table[table["reason"] != ""]
    counts = []
    for kind, same in rows.groupby(rows["reason"].map(kind_of), sort=False):
        counts.append(f"{same['files'].sum()} {in_words(str(kind))} ({name_some(_examples(same), 2)})")
    return ", ".join(counts)


def _examples(rows: pd.DataFrame) -> Iterable[str]:
    for path, reason in zip(rows["path"], rows["reason"], strict=True):
        yield f"{path}: {reason}" if reason.startswith((_TWO_LABELS, _SHOWS_THE_SAME)) else path


def _remedies(table: pd.DataFrame) -> str:
    kinds = table.loc[table["reason"] != "", "reason"].map(kind_of).value_counts().index
    return "; ".join(dict.fromkeys(_REMEDIES.get(kind, _REPAIR) for kind in kinds[:2]))


def _one_class_remedy(table: pd.DataFrame, root: str, labels_csv: str) -> str:
    """Names the folder to give if the classes lie one level deeper."""
    if labels_csv:
        return f"give photos of another class their label in {labels_csv}"
    folders = table.loc[table["reason"] == "", "path"].str.split("/")
    inner = sorted({parts[1] for parts in folders if len(parts) > 2})
    tables = [path for path in table["path"] if path.lower().endswith(".csv")]
    if len(inner) > 1:
        return f"if {name_some(inner)} are the classes, give {root}/{folders.iloc[0][0]}; else add a class"
    if tables:
        return f"if a file names the label of each photo, set data.labels_csv, e.g. to {tables[0]}"
    return f"add a folder with photos of another class: {LAYOUT_REMEDY}"
