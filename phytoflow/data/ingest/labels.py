"""The class of each file: from the folder it lies in, or from a CSV file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

from phytoflow.data.ingest.findings import Finding
from phytoflow.data.ingest.labels_csv import labels_csv_uri, read_labels_csv
from phytoflow.data.ingest.layout.class_names import class_labels, similar_findings
from phytoflow.data.ingest.layout.layout import Layout, read_layout
from phytoflow.data.ingest.remote import list_photos
from phytoflow.data.ingest.walk import FoundFile
from phytoflow.data.settings import DataSettings
from phytoflow.data.splits import Split

NO_CLASS_FOLDER = "not in a class folder"
NOT_LABELLED = "not in data.labels_csv"


class Labelled(NamedTuple):
    """What is known of a file before it is opened.

    Attributes:
        label: Its class; empty if it has none.
        part: The split that the folders give it; empty if they give none.
        skipped: Why it is not read; empty for a file to read.
    """

    label: str
    part: str
    skipped: str


@dataclass(frozen=True)
class Labels:
    """How the files of a folder are labelled.

    Attributes:
        classes: Every label, sorted, also of empty class folders.
        parts: The splits that the folders give; empty if the photos are still to be split.
        entries: How many entries ``walk`` yields, for the progress bar.
        findings: What is worth saying about folders or the CSV file.
        of: Label, part and reason of one file.
    """

    classes: list[str]
    parts: set[Split]
    entries: int
    findings: tuple[Finding, ...]
    of: Callable[[FoundFile], Labelled]


def read_labels(root: Path | str, settings: DataSettings, judge: bool = True) -> Labels:
    """Reads the layout of the folders, or the CSV file of labels if the settings name one.

    Args:
        root: A folder, or an ``s3://`` prefix.
        settings: How labels are read.
        judge: Whether folders that do not look like classes are refused.

    Raises:
        DataError: ``root`` cannot be read, its folders are not classes, or the CSV file does not fit them.
        StorageError: The CSV file, or the store, cannot be read.
    """
    if settings.labels_csv:
        return _from_csv(root, settings)
    layout = read_layout(str(root), list_photos(root), settings, judge)
    of = partial(_in_layout, layout)
    return Labels(layout.classes, layout.parts, layout.entries, layout.findings, of)


def _in_layout(layout: Layout, entry: FoundFile) -> Labelled:
    label, part = layout.place(entry.parts)
    if entry.skipped or (label and (part or not layout.parts)):
        return Labelled(label, part, entry.skipped)
    return Labelled("", "", NO_CLASS_FOLDER)


def _from_csv(root: Path | str, settings: DataSettings) -> Labels:
    uri = labels_csv_uri(root, settings.labels_csv)
    paths = {entry.path: not entry.skipped and entry.location != uri for entry in list_photos(root)}
    by_path, findings = read_labels_csv(uri, [path for path, may_be_photo in paths.items() if may_be_photo])
    spelling = class_labels(by_path.values(), settings.merge_similar_classes)
    by_path = {path: spelling[label] for path, label in by_path.items()}
    findings += similar_findings(spelling)
    classes = sorted(set(by_path.values()))
    return Labels(classes, set(), len(paths), tuple(findings), partial(_in_csv, by_path))


def _in_csv(labels: Mapping[str, str], entry: FoundFile) -> Labelled:
    label = labels.get(entry.path, "")
    return Labelled(label, "", entry.skipped or ("" if label else NOT_LABELLED))
