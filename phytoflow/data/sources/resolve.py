"""Where photos come from: a local folder, an object store, an archive on the web, or the built-in sample."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from phytoflow.data.ingest.labels import read_labels
from phytoflow.data.ingest.labels_csv import labels_csv_uri
from phytoflow.data.ingest.walk import EMPTY_FOLDER, HIDDEN, FoundFile, walk
from phytoflow.data.settings import EXTERNAL_TEST_SET, DataSettings
from phytoflow.data.sources.archive import class_root, unpack
from phytoflow.data.sources.download import download, head
from phytoflow.data.synthetic.dataset import CLASSES, make_synthetic_dataset
from phytoflow.errors import DataError
from phytoflow.storage.atomic import atomic_folder
from phytoflow.storage.uri import fetch_folder, is_local, list_folder, local_path, read_bytes

SAMPLE = "sample"
MAX_ARCHIVE_BYTES = 64 * 2**30
"""A larger archive of photos, packed or unpacked, is refused."""
_LOG = logging.getLogger(__name__)


def localise_source(source: str, work: Path, seed: int = 0) -> Path:
    """Makes the photos of a source readable as a local folder.

    Args:
        source: A folder, an ``s3://`` or ``gs://`` prefix, the ``https://`` address of a zip or tar archive,
            or ``sample`` for the procedural leaves.
        work: Folder for photos that are not local yet.
        seed: Seed of the sample.

    Raises:
        DataError: The archive cannot be used.
        StorageError: The store cannot be read, or ``work`` not be written.
    """
    if source == SAMPLE:
        folder = work / f"sample-{seed}"
        if not folder.is_dir():
            _LOG.info("no photos given: drawing sample leaves in %s", folder)
            make_synthetic_dataset(folder, seed=seed)
        return folder
    if is_local(source):
        return local_path(source)  # the walk refuses what is not a folder
    if is_archive(source):
        return _fetch_archive(source, work)
    return fetch_folder(source, work / "photos")


def data_version(source: str, settings: DataSettings) -> str:
    """A short hash that changes with the photos and with the CSV files of labels and groups.

    Raises:
        DataError: There is no such local folder.
        StorageError: The store or a CSV file cannot be read.
    """
    tables = [settings.groups_csv] if settings.groups_csv else []
    if settings.labels_csv and source != SAMPLE and not is_archive(source):  # in an archive it counts already
        tables.append(labels_csv_uri(source, settings.labels_csv))
    return version_with_files(source_version(source), tables)


def version_with_files(version: str, files: Sequence[str]) -> str:
    """A version that changes with the content of further files too; raises StorageError."""
    contents = [hashlib.sha256(read_bytes(file)).hexdigest() for file in files]
    return _short_hash([version, *contents]) if contents else version


def source_version(source: str) -> str:
    """A short hash that changes when files of the source are added, removed or altered.

    Names, sizes and times are read, not contents: 50,000 photos take about a second. A photo behind a link
    counts with its own size and time, and with the file that the link leads to. Hidden files do not count.

    Raises:
        DataError: There is no such local folder.
        StorageError: The store cannot be read.
    """
    if source == SAMPLE:
        return SAMPLE
    if is_archive(source):
        return _short_hash([f"{source} {head(source)}"])
    return _short_hash(_local_lines(local_path(source)) if is_local(source) else sorted(list_folder(source)))


def class_names(source: str, settings: DataSettings | None = None) -> list[str] | None:
    """Classes of a source, from names alone; None if only the unpacked archive would tell.

    Args:
        source: As for ``localise_source``.
        settings: How the labels of photos to train on are read; None: photos to evaluate on, whose folders
            are not judged and whose split is ignored.

    Raises:
        DataError: There is no such local folder, or its folders are not classes.
        StorageError: The store cannot be read.
    """
    if source == SAMPLE:
        return list(CLASSES)
    if is_archive(source):
        return None
    judge, settings = settings is not None, settings or EXTERNAL_TEST_SET
    if not is_local(source) and settings.labels_csv:
        return None
    return read_labels(local_path(source) if is_local(source) else source, settings, judge).classes


def is_archive(source: str) -> bool:
    """Tells whether a source is an archive on the web."""
    return source.startswith(("https://", "http://"))


def _fetch_archive(url: str, work: Path) -> Path:
    work.mkdir(parents=True, exist_ok=True)
    archive = download(url, work / "photos.archive", max_bytes=MAX_ARCHIVE_BYTES)
    with atomic_folder(work / "photos") as folder:
        unpack(archive, folder, max_bytes=MAX_ARCHIVE_BYTES)
        archive.unlink()
        if not any(folder.iterdir()):
            raise DataError(f"the archive at {url} holds no files", remedy="pack the folders of photos again")
    return class_root(work / "photos")


def _local_lines(root: Path) -> Iterator[str]:
    for entry in walk(root):
        if entry.skipped not in (HIDDEN, EMPTY_FOLDER):
            yield f"{entry.path} {entry.skipped or _state(entry)}"


def _state(entry: FoundFile) -> str:
    try:
        status = entry.file.stat()
        target = entry.file.resolve() if entry.linked else ""
    except OSError as error:
        return f"unreadable: {error.strerror}"
    return f"{status.st_size} {status.st_mtime_ns} {target}"


def _short_hash(lines: Iterable[str]) -> str:
    """Hashes lines as they come; the walk yields them in an order that depends on names alone."""
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode("utf-8", "surrogateescape") + b"\n")
    return digest.hexdigest()[:16]
