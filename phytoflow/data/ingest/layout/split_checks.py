"""Whether a given split can be used: a training part, class folders in each part, every class in each."""

from __future__ import annotations

from collections.abc import Mapping

from phytoflow.data.ingest.layout.class_names import class_labels
from phytoflow.data.ingest.layout.folder_tree import Folder
from phytoflow.data.ingest.layout.given_split import GivenSplit
from phytoflow.data.splits import SPLITS, Split
from phytoflow.errors import DataError

POOL_REMEDY = (
    "set data.predefined_split=ignore: phytoflow then puts the photos of all parts together and splits them "
    "itself, so that no leaf is in two parts"
)


def check_given_split(root: str, tree: Folder, given: GivenSplit, merge_similar: bool) -> None:
    """Refuses a split that cannot be used as it is.

    Args:
        root: For messages.
        tree: The folders.
        given: Which of them are parts of the split.
        merge_similar: Whether class names that differ only in case or spaces are one class.

    Raises:
        DataError: Two folders are the same part, there is no training part, a part has no class folders, or
            a class is not in every part.
    """
    above = {"/".join(base): split for base, split in given.bases.items() if split}
    _check_parts(root, above or given.inner_parts)
    for base, split in given.bases.items():
        if split:
            _check_part(root, "/".join(base), tree.at(base))
    if above:
        _check_classes(root, {"/".join(base): tree.at(base).filled for base in given.bases}, merge_similar)
    for base in given.bases if given.inner_parts else ():
        _check_inner_parts(root, tree.at(base), given.inner_parts)


def _check_parts(root: str, parts: Mapping[str, Split]) -> None:
    for split in SPLITS:
        same = [name for name, part in parts.items() if part == split]
        if len(same) > 1:
            what = f"the folders {' and '.join(same)} of {root} are both named as the {split} part of a split"
            raise DataError(what, remedy="put their photos together in one of them, or rename the other")
    if parts and "train" not in parts.values():
        what = f"the folders {', '.join(parts)} of {root} are parts of a split, but none is for training"
        raise DataError(what, remedy=f"name the training part train, or {POOL_REMEDY}")


def _check_part(root: str, name: str, part: Folder) -> None:
    take = "phytoflow then takes that part from the training photos"
    if not part.below:
        what = f"the folder {name} of {root} is named as a part of a split, but holds no photo"
        raise DataError(what, remedy=f"add its photos, or remove the folder: {take}")
    if not part.filled:
        what = (
            f"the folder {name} of {root} is named as a part of a split, but its {part.photos} photos lie in "
            "no class folders"
        )
        remedy = f"sort them into one folder a class, or move {name} out of {root}: {take}"
        raise DataError(what, remedy=remedy)


def _check_classes(root: str, parts: Mapping[str, Mapping[str, Folder]], merge_similar: bool) -> None:
    missing = _missing_classes(parts, merge_similar)
    remedy = "add the missing photos, or remove these classes from every part"
    if missing and not _missing_classes(parts, merge_similar=True):
        remedy = "set data.merge_similar_classes=true if these are the same classes"
    _refuse(f"the folders {', '.join(parts)} of {root} are parts of a split", missing, remedy)


def _missing_classes(parts: Mapping[str, Mapping[str, Folder]], merge_similar: bool) -> list[str]:
    labels = class_labels({name for part in parts.values() for name in part}, merge_similar)
    present = {name: {labels[folder] for folder in part} for name, part in parts.items()}
    return [
        f"{name} has no photos of {', '.join(sorted(absent))}"
        for name, classes in present.items()
        if (absent := set(labels.values()) - classes)
    ]


def _check_inner_parts(root: str, folder: Folder, parts: Mapping[str, Split]) -> None:
    missing = [
        f"{name} has no photos in {', '.join(sorted(absent))}"
        for name, inner in folder.filled.items()
        if (absent := set(parts) - set(inner.filled))
    ]
    what = f"the classes of {root} hold the parts of a split, {', '.join(sorted(parts))}"
    _refuse(what, missing, "add the missing photos")


def _refuse(what: str, missing: list[str], remedy: str) -> None:
    if missing:
        what = f"{what}, but not every class is in each part: {'; '.join(missing)}"
        raise DataError(what, remedy=f"{remedy}; or {POOL_REMEDY}")
