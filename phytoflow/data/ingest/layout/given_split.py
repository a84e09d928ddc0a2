"""Finds the split of a data set that comes with one: ``train``, ``valid``, ``test`` around or in classes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from phytoflow.data.ingest.layout.folder_names import is_wrapper, split_of
from phytoflow.data.ingest.layout.folder_tree import Folder
from phytoflow.data.splits import Split

Path = tuple[str, ...]


@dataclass(frozen=True)
class GivenSplit:
    """The folders of a split.

    Attributes:
        bases: Folders whose sub-folders are the classes, as paths from the root, with the split each is;
            None if the split is made inside of the classes, or if there is one part only.
        inner_parts: Split by name of a class's sub-folder.
    """

    bases: Mapping[Path, Split | None]
    inner_parts: Mapping[str, Split] = field(default_factory=dict)


NO_SPLIT = GivenSplit({(): None})


def find_given_split(tree: Folder) -> GivenSplit:
    """Finds a split made by folders, also inside of wrapping folders; ``NO_SPLIT`` if there is none."""
    for wrapper, folder in _unwrap(tree):
        names = {name: split for name in folder.folders if (split := split_of(name))}
        if names and set(folder.filled) <= set(names):
            if len(names) > 1:
                return GivenSplit(dict(_bases(wrapper, folder, names)))
            if len(next(iter(folder.folders.values())).filled) > 1:
                return GivenSplit({(*wrapper, *names): None})
        if inner_parts := _inner_parts(folder):
            return GivenSplit({wrapper: None}, inner_parts)
    return NO_SPLIT


def _unwrap(folder: Folder) -> Iterator[tuple[Path, Folder]]:
    """Yields the folder and then, while it is the only thing in there, the folder in it."""
    path: Path = ()
    yield path, folder
    while len(folder.filled) == 1 and not folder.photos:
        ((name, folder),) = folder.filled.items()
        path = (*path, name)
        yield path, folder


def _bases(wrapper: Path, folder: Folder, names: Mapping[str, Split]) -> Iterator[tuple[Path, Split]]:
    """The folder of class folders of each part, also in ``train/train/rust`` and ``train/images/rust``."""
    for name, split in names.items():
        path, part = (*wrapper, name), folder.folders[name]
        while len(part.filled) == 1 and not part.photos:
            ((inner, deeper),) = part.filled.items()
            around_classes = is_wrapper(inner) and len(deeper.filled) > 1
            if split_of(inner) != split and not around_classes:
                break
            path, part = (*path, inner), deeper
        yield path, split


def _inner_parts(folder: Folder) -> dict[str, Split]:
    """Parts inside of each class, ``rust/train/1.jpg``; empty if the classes hold anything else."""
    classes = list(folder.filled.values())
    inner = [(name, part) for each in classes for name, part in each.filled.items()]
    parts = {name: split for name, _ in inner if (split := split_of(name))}
    only_parts = all(name in parts and not part.filled for name, part in inner)
    loose = any(each.photos for each in classes)
    return parts if len(classes) > 1 and len(parts) > 1 and only_parts and not loose else {}
