"""Labels from a CSV file instead of from folders (``data.labels_csv``)."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from phytoflow.data.ingest.file_names import name_some
from phytoflow.data.ingest.findings import Finding
from phytoflow.data.ingest.path_table import Row, match_paths, read_path_table
from phytoflow.errors import DataError
from phytoflow.storage.uri import is_local, join, local_path

_LISTS = r"[|;]"  # marks that hardly stand in a name, unlike a comma, a space or a slash
_IN_NAMES = (r"[,\s]+", r"[+&/]")
_ONE_LABEL = "phytoflow gives each photo one label"


def labels_csv_uri(root: Path | str, labels_csv: str) -> str:
    """Where the CSV file is: a relative path is one below the folder or prefix of photos."""
    if not is_local(labels_csv):
        return labels_csv
    path = local_path(labels_csv)
    if is_local(root):
        return str(local_path(root) / path)
    return labels_csv if path.is_absolute() else join(root, labels_csv)


def read_labels_csv(uri: str, paths: Sequence[str]) -> tuple[dict[str, str], list[Finding]]:
    """Reads the label of each photo.

    Args:
        uri: The file, with the columns ``path`` and ``label``.
        paths: The files in the folder.

    Returns:
        Label by path, and what is worth saying: rows that name no file, rows that are there twice.

    Raises:
        DataError: It is no such file, names none of the files, contradicts itself, leaves a label empty, or
            gives a photo several labels.
        StorageError: It cannot be read.
    """
    rows, columns = read_path_table(uri, "label")
    _refuse_empty(uri, rows)
    _refuse_several_labels(uri, rows)
    _refuse_contradictions(uri, rows)
    matched = match_paths(rows, paths)
    if not matched:
        examples = name_some((row.path for row in rows), 1) or "nothing"
        what = f"{uri} names none of the {len(paths)} files in the folder: it has {examples}"
        remedy = f"write paths as they are seen from the folder of photos, e.g. {name_some(paths, 1)}"
        raise DataError(what, remedy=remedy)
    labels = {matched[row.path]: row.value for row in rows if row.path in matched}
    return labels, list(_findings(rows, matched, columns))


def _findings(rows: Sequence[Row], matched: dict[str, str], columns: Sequence[str]) -> Iterator[Finding]:
    missing = [f"{row.path} (line {row.line})" for row in rows if row.path not in matched]
    if missing:
        text = "Rows of data.labels_csv that name no file in the folder"
        yield Finding.of_names("labelled file missing", "warning", text, missing)
    first = {row.path: row.line for row in reversed(rows)}
    repeated = [f"{row.path} (line {row.line})" for row in rows if row.line != first[row.path]]
    if repeated:
        text = "Rows of data.labels_csv that repeat another row"
        yield Finding.of_names("repeated label", "note", text, repeated)
    if unused := [column for column in columns if column not in ("path", "label")]:
        yield Finding.of_names(
            "unused column", "note", "Columns of data.labels_csv that are not read", unused
        )


def _refuse_empty(uri: str, rows: Sequence[Row]) -> None:
    if not rows:
        raise DataError(f"{uri} has a header and no rows", remedy="write one row a photo: path,label")
    empty = [f"line {row.line}" for row in rows if not row.value or not row.path]
    if empty:
        what = f"{uri} leaves the path or the label empty in {len(empty)} rows: {name_some(empty)}"
        raise DataError(what, remedy="fill them in, or remove these rows")


def _refuse_contradictions(uri: str, rows: Sequence[Row]) -> None:
    labels: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        labels[row.path].add(row.value)
    unclear = [f"{path} ({' and '.join(sorted(each))})" for path, each in labels.items() if len(each) > 1]
    if unclear:
        what = f"{uri} gives {len(unclear)} photos several labels: {name_some(unclear)}"
        raise DataError(what, remedy=f"{_ONE_LABEL}: keep the row that is right")


def _refuse_several_labels(uri: str, rows: Sequence[Row]) -> None:
    """Refuses cells such as ``scab|rust``, ``scab rust`` and ``[scab, rust]``."""
    whole = {row.value for row in rows}
    listed = Counter(part for value in whole for part in set(_split(_LISTS, value)))
    several = [row for row in rows if _holds_several(row.value, whole, listed)]
    if several:
        examples = name_some((f"{row.value!r} (line {row.line})" for row in several), 3)
        what = f"{uri} holds several labels in one cell in {len(several)} rows: {examples}"
        remedy = f"{_ONE_LABEL}: keep the main one, remove these photos, or make each combination a class"
        raise DataError(f"{what}; that is a multi-label data set", remedy=remedy)


def _holds_several(value: str, whole: set[str], listed: Counter[str]) -> bool:
    """Judges one cell by all values and by how many of them list a part."""
    parts = _split(_LISTS, value)
    if len(parts) > 1 and any(listed[part] > 1 for part in parts):
        return True
    if value.startswith("[") and value.endswith("]") and "," in value:
        return True
    return any(len(parts := _split(marks, value)) > 1 and whole.issuperset(parts) for marks in _IN_NAMES)


def _split(marks: str, value: str) -> list[str]:
    return [part for part in (part.strip() for part in re.split(marks, value)) if part]
