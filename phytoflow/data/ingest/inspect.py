"""Inspects a folder of photos: all that is known before anything is written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from phytoflow.data.ingest.collect_findings import collect_findings
from phytoflow.data.ingest.findings import Findings
from phytoflow.data.ingest.grouping.groups import group_photos
from phytoflow.data.ingest.grouping.near_duplicates import near_duplicates
from phytoflow.data.ingest.labels import Labels, read_labels
from phytoflow.data.ingest.predefined_split import describe_parts, exclude_leaks, use_parts
from phytoflow.data.ingest.scan import scan
from phytoflow.data.ingest.split import split_photos
from phytoflow.data.ingest.validate import exclude_duplicates, require_trainable
from phytoflow.data.sample_depth import rescale_brightness
from phytoflow.data.settings import DataSettings


@dataclass(frozen=True)
class CheckedPhotos:
    """A folder of photos after its check.

    Attributes:
        table: One row a file, as ``scan`` returns it, with ``group`` and ``split`` and without the thumbnail;
            a file that is not used has the split ``excluded`` and a ``reason``.
        findings: What is worth saying.
        near: int64 [P, 2], near-duplicates as pairs of index labels of the table.
    """

    table: pd.DataFrame
    findings: Findings
    near: NDArray[np.int64]


def check(root: Path, settings: DataSettings, seed: int) -> CheckedPhotos:
    """Scans, validates, groups and splits; writes nothing.

    Args:
        root: A local folder with one sub-folder a class, with or without a split, or photos with a CSV file
            of labels.
        settings: Labels, limits, groups and shares.
        seed: Seed of the split.

    Raises:
        DataError: Training on these photos would be meaningless.
        StorageError: The CSV file of labels or groups cannot be read.
    """
    labels = read_labels(root, settings)
    return check_table(scan(root, labels, settings), labels, root, settings, seed)


def check_table(
    table: pd.DataFrame, labels: Labels, root: Path | str, settings: DataSettings, seed: int
) -> CheckedPhotos:
    """Validates, groups and splits photos that were scanned.

    Args:
        table: As ``scan`` returns it.
        labels: How the files are labelled.
        root: Where the photos are, for messages.
        settings: Groups and shares.
        seed: Seed of the split.

    Raises:
        DataError: Training on these photos would be meaningless.
        StorageError: The CSV file of groups cannot be read.
    """
    table = exclude_duplicates(table)
    require_trainable(table, str(root), settings.labels_csv)
    table = rescale_brightness(table)
    table, near = _group(table, settings)
    more = list(labels.findings)
    if labels.parts:
        table = exclude_leaks(table)
        used = table[table["reason"] == ""]
        splits = use_parts(used, settings, seed)
        more.append(describe_parts(used))
    else:
        used = table[table["reason"] == ""]
        splits = split_photos(used, settings.validation_fraction, settings.test_fraction, seed)
    findings = collect_findings(table, labels.classes, near, more)
    table = table.drop(columns="thumbnail")  # most of the table, and not needed any more
    table["split"] = splits.reindex(table.index, fill_value="excluded")
    return CheckedPhotos(table, findings, near)


def _group(table: pd.DataFrame, settings: DataSettings) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    """Adds ``group``, also to copies, which tie groups together; returns the near-duplicates too."""
    readable = table[table["phash"] != ""].reset_index(names="row")
    pairs = near_duplicates(readable, settings.near_duplicate_max_distance)
    groups = group_photos(readable, pairs, settings)
    named = pd.Series(groups.to_numpy(), index=readable["row"]).reindex(table.index, fill_value="")
    return table.assign(group=named), readable["row"].to_numpy()[pairs]
