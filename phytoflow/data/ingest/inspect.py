"""Looking through a folder of photos: all that is known before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phytoflow.data.ingest.find import find
from phytoflow.data.ingest.findings import Findings
from phytoflow.data.ingest.groups import group_photos
from phytoflow.data.ingest.near_duplicates import near_duplicates
from phytoflow.data.ingest.scan import scan
from phytoflow.data.ingest.split import split_photos
from phytoflow.data.ingest.validate import exclude_duplicates, require_class_folders, require_trainable
from phytoflow.data.settings import DataSettings


@dataclass(frozen=True)
class CheckedPhotos:
    """A folder of photos, looked through.

    Attributes:
        table: One row a file, as ``scan`` gives it, with ``group`` and ``split``; a file that is not used
            has the split ``excluded`` and a ``reason``.
        findings: What is worth saying.
        near: int64 [P, 2], near-duplicates, index labels of the table.
    """

    table: pd.DataFrame
    findings: Findings
    near: NDArray[np.int64]


def check(root: Path, settings: DataSettings, seed: int) -> CheckedPhotos:
    """Scans, validates, groups and splits; writes nothing.

    Args:
        root: A local folder with one sub-folder a class.
        settings: Limits, groups and shares.
        seed: Of the split.

    Raises:
        DataError: Training on these photos would be meaningless.
    """
    folders = require_class_folders(root)
    table = exclude_duplicates(scan(root, settings))
    require_trainable(table)
    readable = table[table["phash"] != ""].reset_index(names="row")
    pairs = near_duplicates(readable, settings.near_duplicate_max_distance)
    groups = group_photos(readable, pairs, settings)
    table["group"] = pd.Series(groups.to_numpy(), index=readable["row"]).reindex(table.index, fill_value="")
    near = readable["row"].to_numpy()[pairs]
    findings = find(table, folders, near)
    used = table[table["reason"] == ""]
    splits = split_photos(used, settings.validation_fraction, settings.test_fraction, seed)
    table["split"] = splits.reindex(table.index, fill_value="excluded")
    return CheckedPhotos(table, findings, near)
