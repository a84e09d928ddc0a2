"""Which class of a model each folder of another collection of photos shows."""

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
class FieldClasses:
    """A mapping of folders.

    Attributes:
        classes: The model's class of each folder that has one.
        left_out: Folders without a counterpart, sorted.
    """

    classes: dict[str, str]
    left_out: tuple[str, ...]


def map_classes(folders: Sequence[str], classes: Sequence[str], mapping: str = "") -> FieldClasses:
    """Finds each folder's class: as a file says, or else the class of the same name.

    Names are the same whatever their case, spaces, underscores and other signs: ``Apple___Black_rot`` is
    ``apple black rot``.

    Args:
        folders: Names of the other collection's class folders.
        classes: Of the model.
        mapping: Path or URI of a CSV with columns folder,class; may be empty, and need not list folders that
            match by name.

    Raises:
        ConfigError: The file cannot be used, or names a folder or class that there is not.
        DataError: No folder has a class, or a folder could be either of two.
    """
    said = _read(mapping, folders, classes) if mapping else {}
    found = {folder: said.get(folder, _same_name(folder, classes)) for folder in folders}
    kept = {folder: name for folder, name in found.items() if name}
    if not kept:
        raise DataError(
            f"none of the field photos' folders ({_listed(folders)}) is a class of the model "
            f"({_listed(classes)})",
            remedy="rename the folders, or set evaluation.external_class_map to a CSV file with the columns "
            "folder,class",
        )
    return FieldClasses(kept, tuple(sorted(set(folders) - set(kept))))


def _same_name(folder: str, classes: Sequence[str]) -> str:
    """The class of that name, exactly or nearly; empty where there is none."""
    if folder in classes:
        return folder
    same = [name for name in classes if _letters(name) == _letters(folder)]
    if len(same) > 1:
        what = f"the field photos' folder {folder!r} could be {' or '.join(map(repr, same))}"
        raise DataError(what, remedy="say which: evaluation.external_class_map=FILE, a CSV with folder,class")
    return same[0] if same else ""


def _letters(name: str) -> str:
    """Letters and digits alone, lower case; the name itself where it has none."""
    return "".join(sign for sign in name.casefold() if sign.isalnum()) or name


def _read(file: str, folders: Sequence[str], classes: Sequence[str]) -> dict[str, str]:
    said: dict[str, str] = {}
    for row in _rows(file):
        folder, name = row["folder"].strip(), row["class"].strip()
        _check(file, "folder of the field photos", folder, folders)
        if name:
            _check(file, "class of the model", name, classes)
        if said.setdefault(folder, name) != name:
            what = f"{file} gives the folder {folder!r} two classes: {said[folder]!r} and {name!r}"
            raise ConfigError(what, remedy="keep one line a folder")
    return said


def _rows(file: str) -> list[dict[str, str]]:
    try:
        reader = csv.DictReader(io.StringIO(read_bytes(file).decode("utf-8-sig")), restval="")
        rows = list(reader)
    except (StorageError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(
            f"cannot read the field classes from {file}: {error}", remedy=_CSV_REMEDY
        ) from error
    if not set(COLUMNS) <= set(reader.fieldnames or ()):
        raise ConfigError(f"{file} has no columns folder and class", remedy=_CSV_REMEDY)
    return rows


def _check(file: str, what: str, name: str, known: Sequence[str]) -> None:
    if name in known:
        return
    near = nearest_name(name, known)
    raise ConfigError(
        f"{file}: {name!r} is no {what}",
        remedy=f"did you mean {near!r}?" if near else f"there are: {_listed(known)}",
    )


def _listed(names: Sequence[str], most: int = 12) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
