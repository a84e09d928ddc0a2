"""Which folders are classes, and which are parts of a split that somebody made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from phytoflow.data.ingest.findings import Finding
from phytoflow.data.ingest.layout.class_names import class_labels, similar_findings
from phytoflow.data.ingest.layout.folder_tree import Folder, read_tree
from phytoflow.data.ingest.layout.given_split import NO_SPLIT, GivenSplit, find_given_split
from phytoflow.data.ingest.layout.split_checks import check_given_split
from phytoflow.data.ingest.layout.suspicions import check_classes
from phytoflow.data.ingest.walk import LAYOUT_REMEDY, FoundFile
from phytoflow.data.settings import DataSettings
from phytoflow.data.splits import Split
from phytoflow.errors import DataError


class Place(NamedTuple):
    """Where a file belongs: its class and the part of a given split; empty if it has none."""

    label: str
    part: str


@dataclass(frozen=True)
class Layout:
    """What the folders of a data set mean.

    Attributes:
        bases: Folders whose sub-folders are the classes, as paths from the root, with the split they are
            part of; empty if the photos are still to be split.
        labels: Label by name of the class folder.
        inner_parts: Split by name of the sub-folder of a class, if the classes hold the parts.
        entries: How many entries the data set has, for a progress bar.
        findings: What is worth saying about the folders.
    """

    bases: Mapping[tuple[str, ...], Split | None]
    labels: Mapping[str, str]
    inner_parts: Mapping[str, Split]
    entries: int
    findings: tuple[Finding, ...]

    @property
    def classes(self) -> list[str]:
        """The labels, sorted; also of class folders without photos."""
        return sorted(set(self.labels.values()))

    @property
    def parts(self) -> set[Split]:
        """The splits that the folders give; empty if there are none."""
        return {part for part in (*self.bases.values(), *self.inner_parts.values()) if part}

    def place(self, parts: tuple[str, ...]) -> Place:
        """Where a file or class folder belongs.

        Args:
            parts: Its path from the root, segment by segment.
        """
        for base, split in self.bases.items():
            inner = parts[len(base) :]
            if parts[: len(base)] == base and inner and inner[0] in self.labels:
                part = self.inner_parts.get(inner[1]) if len(inner) > 1 else None
                return Place(self.labels[inner[0]], split or part or "")
        return Place("", "")


def read_layout(
    root: str, entries: Iterable[FoundFile], settings: DataSettings, judge: bool = True
) -> Layout:
    """Decides by the names of the folders and the number of photos in them; no photo is opened.

    Args:
        root: The folder or URI, for messages.
        entries: What ``walk`` yields.
        settings: Whether every folder is a class, whether a given split is used, and whether similar class
            names are merged.
        judge: Whether folders that do not look like classes are refused.

    Raises:
        DataError: There are no class folders, or the folders are not classes: parts of a split of which
            one lacks a class, variants of the same photos, or several data sets.
    """
    tree, count = read_tree(entries)
    if not tree.folders:
        raise _no_folders(root, tree)
    given = find_given_split(tree) if settings.check_layout else NO_SPLIT
    folders = [tree.at(base) for base in given.bases]
    findings = _judge(root, tree, given, settings) if judge and settings.check_layout else []
    names = {name for folder in folders for name in folder.folders}
    labels = class_labels(names, settings.merge_similar_classes)
    findings += similar_findings(labels)
    if settings.predefined_split == "ignore":
        given = GivenSplit(dict.fromkeys(given.bases))
    return Layout(given.bases, labels, given.inner_parts, count, tuple(dict.fromkeys(findings)))


def _judge(root: str, tree: Folder, given: GivenSplit, settings: DataSettings) -> list[Finding]:
    if settings.predefined_split == "use":
        check_given_split(root, tree, given, settings.merge_similar_classes)
    folders = [tree.at(base) for base in given.bases]
    if given.inner_parts:  # the parts inside of the classes are known; only the classes' names are judged
        folders = [folder.flat() for folder in folders]
    return [finding for folder in folders for finding in check_classes(root, folder)]


def _no_folders(root: str, tree: Folder) -> DataError:
    if tree.photos:
        remedy = "move each photo into a folder named like its class, or give data.labels_csv"
        what = f"the {tree.photos} photos in {root} lie side by side: there are no class folders"
        return DataError(what, remedy=remedy)
    return DataError(f"there are no class folders in {root}", remedy=LAYOUT_REMEDY)
