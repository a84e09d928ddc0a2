"""Assigns a class of the model to each folder of an external test set."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

from phytoflow.errors import ConfigError, DataError, StorageError, nearest_name
from phytoflow.storage.uri import read_bytes

COLUMNS = ("folder", "class")
_CSV_REMEDY = "give a UTF-8 CSV with the columns folder,class; an empty class leaves the folder out"


@dataclass(frozen=True)
class ClassMapping:
    """Folders and their classes.

    Attributes:
        classes: The model's class of each folder that has one.
        left_out: Folders without a class, sorted.
    """

    classes: dict[str, str]
    left_out: tuple[str, ...]


def map_classes(folders: Sequence[str], classes: Sequence[str], class_map: str = "") -> ClassMapping:
    """Maps folders to classes by a file, and by name where the file does not list a folder.

    Names match regardless of case, spaces, underscores and punctuation: ``Apple___Black_rot`` is
    ``apple black rot``.

    Args:
        folders: Class folders of the external test set.
        classes: Classes of the model.
        class_map: Path or URI of a CSV with the columns folder,class; may be empty, and need not list folders
            that match by name.

    Raises:
        ConfigError: The file cannot be used, or names a folder or class that does not exist.
        DataError: No folder has a class, or a folder matches more than one.
    """
    listed = _read_class_map(class_map, folders, classes) if class_map else {}
    matches = {folder: listed.get(folder, _match_by_name(folder, classes)) for folder in folders}
    mapped = {folder: name for folder, name in matches.items() if name}
    if not mapped:
        what = (
            f"none of the folders of evaluation.external_data ({_join(folders)}) is a class of the model "
            f"({_join(classes)})"
        )
        remedy = (
            "rename the folders, or set evaluation.external_class_map to a CSV file with the columns "
            "folder,class"
        )
        raise DataError(what, remedy=remedy)
    return ClassMapping(mapped, tuple(sorted(set(folders) - set(mapped))))


def _match_by_name(folder: str, classes: Sequence[str]) -> str:
    """The class of the same name, exactly or by its letters and digits; empty if there is none."""
    if folder in classes:
        return folder
    same = [name for name in classes if _letters(name) == _letters(folder)]
    if len(same) > 1:
        what = f"the folder {folder!r} of evaluation.external_data matches {' and '.join(map(repr, same))}"
        raise DataError(
            what, remedy="assign it in a CSV with folder,class: evaluation.external_class_map=FILE"
        )
    return same[0] if same else ""


def _letters(name: str) -> str:
    """Letters and digits alone, lower case; the name itself if it has none."""
    return "".join(sign for sign in name.casefold() if sign.isalnum()) or name


def _read_class_map(file: str, folders: Sequence[str], classes: Sequence[str]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    for row in _rows(file):
        folder, name = row["folder"].strip(), row["class"].strip()
        _check_name(file, "folder of evaluation.external_data", folder, folders)
        if name:
            _check_name(file, "class of the model", name, classes)
        if mapping.setdefault(folder, name) != name:
            what = f"{file} gives the folder {folder!r} two classes: {mapping[folder]!r} and {name!r}"
            raise ConfigError(what, remedy="keep one line per folder")
    return mapping


def _rows(file: str) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(read_bytes(file).decode("utf-8-sig")), restval="")
        rows = list(reader)
    except (StorageError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"cannot read the class map {file}: {error}", remedy=_CSV_REMEDY) from error
    if not set(COLUMNS) <= set(reader.fieldnames or ()):
        raise ConfigError(f"{file} has no columns folder and class", remedy=_CSV_REMEDY)
    return rows


def _check_name(file: str, kind: str, name: str, known: Sequence[str]) -> None:
    if name in known:
        return
    near = nearest_name(name, known)
    remedy = f"did you mean {near!r}?" if near else f"there are: {_join(known)}"
    raise ConfigError(f"{file}: {name!r} is no {kind}", remedy=remedy)


def _join(names: Sequence[str], limit: int = 12) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more
