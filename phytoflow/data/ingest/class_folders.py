"""The photos of a class-folder tree as they lie there: for evaluating a bundle on a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.ingest.groups import group_photos
from phytoflow.data.ingest.near_duplicates import near_duplicates
from phytoflow.data.ingest.scan import scan
from phytoflow.data.settings import DataSettings
from phytoflow.errors import DataError


def folder_photos(root: Path, settings: DataSettings | None = None) -> Iterator[LabelledPhoto]:
    """Yields every readable photo of a class-folder tree, sorted by path, one in memory at a time.

    The folder is read through first, so that photos come with their groups and a folder without any is
    refused at once. Files that are no usable photos are left out.

    Args:
        root: A folder with one sub-folder a class.
        settings: Limits and where groups come from.

    Raises:
        DataError: There is no such folder, or no usable photo in a class folder.
    """
    settings = settings or DataSettings()
    table = scan(root, settings)
    table = table[table["reason"] == ""].reset_index(drop=True)
    if table.empty:
        raise DataError(
            f"{root} holds no usable photo in a class folder",
            remedy="give a folder with one sub-folder a class, e.g. photos/healthy/1.jpg",
        )
    near = near_duplicates(table, settings.near_duplicate_max_distance)
    table["group"] = group_photos(table, near, settings)
    return _photos(table)


def _photos(table: pd.DataFrame) -> Iterator[LabelledPhoto]:
    for row in table[["path", "label", "group", "file"]].itertuples(index=False, name=None):
        path, label, group, file = row
        yield LabelledPhoto(path, label, group, Path(file).read_bytes())
