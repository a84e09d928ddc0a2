"""Folders that look like classes and are something else; trained on, they give a model of nothing.

A folder is judged by its name and by the names of its sub-folders. What is surely wrong is refused; what may
be meant is a warning. ``data.check_layout=false`` takes every folder for a class.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from phytoflow.data.ingest.file_names import name_some
from phytoflow.data.ingest.findings import Finding
from phytoflow.data.ingest.layout.folder_names import is_fold, is_neutral, is_variant, split_of
from phytoflow.data.ingest.layout.folder_tree import Folder
from phytoflow.errors import DataError

_ESCAPE = "if every folder is a class as it is, set data.check_layout=false"


def check_classes(root: str, parent: Folder) -> list[Finding]:
    """Judges the folders that are taken for classes.

    Args:
        root: For messages.
        parent: The folder that they lie in.

    Returns:
        Warnings.

    Raises:
        DataError: They are parts of a split next to classes, folds, variants of the same photos, or there is
            another data set among them.
    """
    _refuse_mixed_split(root, parent)
    _refuse_folds(root, parent)
    _refuse_nested_data_set(root, parent)
    _refuse_same_sub_folders(root, parent)
    _refuse_variant_names(root, parent)
    return list(_warnings(parent))


def _refuse_mixed_split(root: str, parent: Folder) -> None:
    """Parts of a split next to classes; a folder ``train`` with photos right in it may be a vehicle."""
    parts = [
        name
        for name, folder in parent.filled.items()
        if (split := split_of(name)) and (split != "train" or folder.filled)
    ]
    others = [name for name in parent.filled if name not in parts]
    if parts and others:
        what = f"{root} holds parts of a split ({name_some(parts)}) and other folders ({name_some(others)})"
        remedy = f"move the one or the other away; {_ESCAPE}"
        raise DataError(f"{what}: these are not all classes", remedy=remedy)


def _refuse_folds(root: str, parent: Folder) -> None:
    if len(parent.filled) > 1 and all(map(is_fold, parent.filled)):
        what = (
            f"the folders {name_some(parent.filled)} of {root} are folds of a cross-validation, not classes"
        )
        raise DataError(what, remedy=f"give one folder of classes with all photos; {_ESCAPE}")


def _refuse_nested_data_set(root: str, parent: Folder) -> None:
    """The classes once more inside of one of them, or a split: a copy, an archive, an augmented version."""
    classes = set(parent.filled)
    for name, folder in parent.filled.items():
        for path, inner in folder.descendants():
            again = sorted(classes & set(inner.filled))
            parts = [part for part in inner.filled if split_of(part)]
            if (len(again) > 1 and not _all_neutral(again)) or len(parts) > 1:
                what = f"{root}/{'/'.join((name, *path))} is a data set inside of {root}: it has the folders "
                remedy = f"move it out of {root}, or give it instead; {_ESCAPE}"
                raise DataError(what + name_some(again if len(again) > 1 else parts), remedy=remedy)


def _refuse_same_sub_folders(root: str, parent: Folder) -> None:
    """Variants of one data set, or its sites: ``color/rust`` and ``grayscale/rust``."""
    sub_folders = {
        name: set(folder.filled)
        for name, folder in parent.filled.items()
        if not folder.photos and len(folder.filled) > 1
    }
    for (one, first), (two, second) in itertools.combinations(sub_folders.items(), 2):
        shared = first & second
        if len(shared) > 1 and 2 * len(shared) >= min(len(first), len(second)) and not _all_neutral(shared):
            inner = name_some(sorted(shared))
            what = f"{one} and {two} in {root} hold the same folders, {inner}"
            remedy = f"if {inner} are the classes, give one of the two, e.g. {root}/{one}; {_ESCAPE}"
            raise DataError(f"{what}: these are variants or sites, not classes", remedy=remedy)


def _refuse_variant_names(root: str, parent: Folder) -> None:
    if len(parent.filled) > 1 and all(map(is_variant, parent.filled)):
        what = (
            f"the folders {name_some(parent.filled)} of {root} are variants or accessories of the same photos"
        )
        raise DataError(
            f"{what}, not classes", remedy=f"give a folder with one sub-folder a class; {_ESCAPE}"
        )


def _warnings(parent: Folder) -> Iterator[Finding]:
    yield from _odd_names(parent)
    yield from _inner_data_sets(parent)
    yield from _repeated_names(parent)


def _odd_names(parent: Folder) -> Iterator[Finding]:
    odd = [name for name in parent.filled if is_variant(name) or is_fold(name) or split_of(name)]
    if odd and len(parent.filled) > 1:
        text = "Folders taken for classes whose names are rarely those of classes"
        yield Finding.of_names("unusual class name", "warning", text, odd)


def _inner_data_sets(parent: Folder) -> Iterator[Finding]:
    only_inner = {name for name, folder in parent.filled.items() if folder.filled and not folder.photos}
    sets = [
        f"{name}: {name_some(sorted(parent.filled[name].filled))}"
        for name in sorted(only_inner)
        if len(parent.filled[name].filled) > 1 and not _all_neutral(parent.filled[name].filled)
    ]
    if sets:
        text = (
            "Folders taken for classes whose photos all lie in sub-folders; are they data sets of their own?"
        )
        yield Finding.of_names("class with sub-folders", "warning", text, sets)


def _repeated_names(parent: Folder) -> Iterator[Finding]:
    """Sub-folders named as another class, or as a sub-folder of another class."""
    where: dict[str, list[str]] = {name: [name] for name in parent.filled}
    for name, folder in parent.filled.items():
        for inner in folder.filled:
            if inner != name and not is_neutral(inner):
                where.setdefault(inner, []).append(f"{name}/{inner}")
    repeated = [" and ".join(paths) for paths in where.values() if len(paths) > 1]
    if repeated:
        text = "Folders of one name in several places; a photo's class is the folder at the top"
        yield Finding.of_names("repeated folder name", "warning", text, repeated)


def _all_neutral(names: Iterable[str]) -> bool:
    return all(map(is_neutral, names))
