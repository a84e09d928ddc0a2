"""Scans photos part by part; a part that was finished before is not scanned again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from phytoflow.data.ingest.labels import Labels, read_labels
from phytoflow.data.ingest.remote import reading_threads
from phytoflow.data.ingest.scan import order_rows, read_table
from phytoflow.data.parts.cut import Survey
from phytoflow.data.parts.table import PartInfo, read_info, read_part, write_part
from phytoflow.data.settings import DataSettings
from phytoflow.errors import DataError, StorageError

_LOG = logging.getLogger(__name__)


def scan_part(
    root: Path | str, settings: DataSettings, number: int, parts: int, version: str, output: Path
) -> None:
    """Reads the photos of one part and writes their table.

    Args:
        root: A folder by its full path, or an ``s3://`` prefix, which is read without a local copy.
        settings: Labels, limits and threads.
        number: Of the part, from 0.
        parts: How many there are.
        version: Changes with the photos, the settings and the code.
        output: The Parquet file to write.

    Raises:
        DataError: The folders are no classes.
        StorageError: The photos cannot be read, or the file not be written.
    """
    survey = Survey.of(root)
    info = PartInfo(number=number, parts=parts, survey=survey.digest, version=version)
    entries, settings = list(survey.part(number, parts)), _with_threads(settings, root)
    table = read_table(entries, read_labels(root, settings), settings, len(entries))
    write_part(output, table, info, root)


def merge_parts(files: Sequence[Path], root: Path | str) -> pd.DataFrame:
    """Puts the parts together to the table that ``scan`` would return, whatever their number and order.

    Args:
        files: What ``scan_part`` wrote, one for each part.
        root: Where the photos are.

    Raises:
        DataError: Parts are missing, or the photos changed while they were scanned.
        StorageError: A file is damaged.
    """
    infos = [read_info(file) for file in files]
    if len({(info.survey, info.version, info.parts) for info in infos}) != 1:
        what = f"the photos in {root} changed while their parts were scanned"
        raise DataError(what, remedy="run again when nothing else writes to the folder")
    if sorted(info.number for info in infos) != list(range(infos[0].parts)):
        numbers = ", ".join(str(info.number) for info in infos)
        raise DataError(
            f"of {infos[0].parts} parts of {root} there are {numbers}", remedy="scan the others too"
        )
    return order_rows([read_part(file, root) for file in files], root)


def scan_in_parts(
    root: Path | str, labels: Labels, settings: DataSettings, version: str, folder: Path
) -> pd.DataFrame:
    """Scans ``settings.parts`` parts one after the other; the rows of one are in memory at a time.

    Args:
        root: A folder by its full path, or an ``s3://`` prefix.
        labels: The class of each file.
        settings: Number of parts, limits and threads.
        version: Changes with the photos, the settings and the code.
        folder: Keeps the tables of finished parts.

    Returns:
        The table that ``scan`` would return.

    Raises:
        DataError: There are no files, or the photos changed meanwhile.
        StorageError: The photos cannot be read, or the folder not be written.
    """
    survey, parts, files = Survey.of(root), settings.parts, []
    settings = _with_threads(settings, root)
    for number, entries in enumerate(survey.parts(parts)):
        info = PartInfo(number=number, parts=parts, survey=survey.digest, version=version)
        files.append(folder / f"part-{number:05d}-of-{parts:05d}.parquet")
        if _is_finished(files[-1], info):
            _LOG.info("part %d of %d: scanned before", number + 1, parts)
            continue
        _LOG.info("part %d of %d", number + 1, parts)
        write_part(files[-1], read_table(entries, labels, settings, len(entries)), info, root)
    return merge_parts(files, root)


def _with_threads(settings: DataSettings, root: Path | str) -> DataSettings:
    return settings.model_copy(update={"threads": reading_threads(settings.threads, str(root))})


def _is_finished(file: Path, info: PartInfo) -> bool:
    """Whether a file holds this very part, of the photos as they are now."""
    try:
        return file.exists() and read_info(file) == info
    except StorageError:
        return False
