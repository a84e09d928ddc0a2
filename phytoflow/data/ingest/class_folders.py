"""The photos of a folder as they lie there, for evaluating a bundle on it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.ingest.grouping.groups import group_photos
from phytoflow.data.ingest.grouping.near_duplicates import near_duplicates
from phytoflow.data.ingest.labels import read_labels
from phytoflow.data.ingest.scan import scan
from phytoflow.data.ingest.walk import LAYOUT_REMEDY
from phytoflow.data.settings import EXTERNAL_TEST_SET
from phytoflow.errors import DataError


def require_class_folders(root: Path) -> list[str]:
    """Returns the labels of the class folders, sorted, before a photo is read.

    Raises:
        DataError: ``root`` is not a folder, or has no class folders.
    """
    return read_labels(root, EXTERNAL_TEST_SET, judge=False).classes


def folder_photos(root: Path) -> Iterator[LabelledPhoto]:
    """Yields every readable photo of a class-folder tree, sorted by path, one in memory at a time.

    The folder is scanned first, so that photos come with their groups and a folder without any is refused
    at once. Files that are not usable photos are left out; the parts of a split are put together.

    Args:
        root: A folder with one sub-folder a class, with or without the parts of a split.

    Raises:
        DataError: There is no such folder, or no usable photo in a class folder.
    """
    table = scan(root, read_labels(root, EXTERNAL_TEST_SET, judge=False), EXTERNAL_TEST_SET)
    table = table[table["reason"] == ""].reset_index(drop=True)
    if table.empty:
        raise DataError(f"{root} holds no usable photo in a class folder", remedy=LAYOUT_REMEDY)
    near = near_duplicates(table, EXTERNAL_TEST_SET.near_duplicate_max_distance)
    table["group"] = group_photos(table, near, EXTERNAL_TEST_SET)
    return _read_photos(table)


def _read_photos(table: pd.DataFrame) -> Iterator[LabelledPhoto]:
    for row in table[["path", "label", "group", "file"]].itertuples(index=False, name=None):
        path, label, group, file = row
        yield LabelledPhoto(path, label, group, Path(file).read_bytes())
