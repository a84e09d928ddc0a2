"""The folders of a data set with the number of photos in each; no file is opened."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import NamedTuple

from phytoflow.data.ingest.file_names import is_photo_name
from phytoflow.data.ingest.walk import EMPTY_FOLDER, UNREADABLE_FOLDER, FoundFile


@dataclass
class Folder:
    """One folder.

    Attributes:
        folders: Sub-folders by name, hidden ones left out.
        photos: Files in the folder itself that may be photos: named so, or without a suffix.
        below: Files that may be photos, in the folder or anywhere below it.
    """

    folders: dict[str, Folder] = field(default_factory=dict)
    photos: int = 0
    below: int = 0

    @property
    def filled(self) -> dict[str, Folder]:
        """The sub-folders that hold photos, at any depth."""
        return {name: folder for name, folder in self.folders.items() if folder.below}

    def at(self, path: tuple[str, ...]) -> Folder:
        """The folder at a path below this one."""
        folder = self
        for name in path:
            folder = folder.folders[name]
        return folder

    def flat(self) -> Folder:
        """This folder as if the photos lay right in its sub-folders."""
        folders = {name: Folder({}, inner.below, inner.below) for name, inner in self.folders.items()}
        return Folder(folders, self.photos, self.below)

    def descendants(self) -> Iterator[tuple[tuple[str, ...], Folder]]:
        """Yields every folder below with its path, this one first; folders may be nested very deep."""
        waiting: list[tuple[tuple[str, ...], Folder]] = [((), self)]
        while waiting:
            path, folder = waiting.pop()
            yield path, folder
            waiting.extend(((*path, name), inner) for name, inner in reversed(folder.folders.items()))


class Tree(NamedTuple):
    """The root folder, and how many entries ``walk`` yielded."""

    root: Folder
    entries: int


def read_tree(entries: Iterable[FoundFile]) -> Tree:
    """Builds the tree of the folders that ``walk`` went through."""
    root, count = Folder(), 0
    for entry in entries:
        count += 1
        if entry.skipped == EMPTY_FOLDER or entry.skipped.startswith(UNREADABLE_FOLDER):
            _add(root, entry.parts, 0)
        else:
            _add(root, entry.parts[:-1], not entry.skipped and _may_be_photo(entry.parts[-1]))
    return Tree(root, count)


def _add(root: Folder, path: tuple[str, ...], photos: int) -> None:
    folder = root
    folder.below += photos
    for name in path:
        folder = folder.folders.setdefault(name, Folder())
        folder.below += photos
    folder.photos += photos


def _may_be_photo(name: str) -> bool:
    return is_photo_name(name) or not PurePosixPath(name).suffix
