"""Where photos come from: a local folder, an object store, an archive on the web, or the built-in sample."""

from __future__ import annotations

import hashlib
import logging
import os
from pathlib import Path

from phytoflow.data.ingest.walk import class_folders
from phytoflow.data.sources.archive import class_root, unpack
from phytoflow.data.sources.download import download, head
from phytoflow.data.synthetic.dataset import CLASSES, make_sample
from phytoflow.errors import DataError
from phytoflow.storage.atomic import atomic_folder
from phytoflow.storage.uri import fetch_folder, is_local, list_folder, local_path

SAMPLE = "sample"
MAX_ARCHIVE_BYTES = 64 * 2**30
"""A larger archive of photos, packed or unpacked, is refused."""
_LOG = logging.getLogger(__name__)


def localise_source(source: str, work: Path, seed: int = 0) -> Path:
    """Makes the photos of a source readable as a local class-folder tree.

    Args:
        source: A folder, an ``s3://`` or ``gs://`` prefix, the ``https://`` address of a zip or tar archive,
            or ``sample`` for the procedural leaves.
        work: Where photos that are not yet here are put.
        seed: Seed of the sample.

    Raises:
        DataError: A local folder that is not there, or an archive that cannot be used.
        StorageError: The store cannot be read.
    """
    if source == SAMPLE:
        folder = work / f"sample-{seed}"
        if not folder.is_dir():
            _LOG.info("no photos given: drawing sample leaves in %s", folder)
            make_sample(folder, seed=seed)
        return folder
    if is_local(source) and not local_path(source).is_dir():
        raise DataError(
            f"no folder of photos at {source}", remedy="give a folder with one sub-folder a class"
        )
    if _is_archive(source):
        return _bring_archive(source, work)
    return fetch_folder(source, work / "photos")


def source_version(source: str) -> str:
    """A short hash that changes when files of the source are added, removed or altered.

    Names, sizes and times are read, not contents: 50,000 photos take about a second.
    """
    if source == SAMPLE:
        return SAMPLE
    if _is_archive(source):
        return hashlib.sha256(f"{source} {head(source)}".encode()).hexdigest()[:16]
    lines = _local_lines(local_path(source)) if is_local(source) else list_folder(source)
    return hashlib.sha256("\n".join(sorted(lines)).encode("utf-8", "surrogateescape")).hexdigest()[:16]


def class_names(source: str) -> list[str] | None:
    """Class folders of a source, by their names alone; None where only the photos themselves would tell.

    Raises:
        DataError: A local folder that is not there, or cannot be read.
        StorageError: The store cannot be read.
    """
    if source == SAMPLE:
        return list(CLASSES)
    if _is_archive(source):
        return None
    if is_local(source):
        return class_folders(local_path(source))
    names = (line.partition("/") for line in list_folder(source))
    return sorted({folder for folder, slash, _ in names if slash})


def _is_archive(source: str) -> bool:
    return source.startswith(("https://", "http://"))


def _bring_archive(url: str, work: Path) -> Path:
    work.mkdir(parents=True, exist_ok=True)
    archive = download(url, work / "photos.archive", max_bytes=MAX_ARCHIVE_BYTES)
    with atomic_folder(work / "photos") as folder:
        unpack(archive, folder, max_bytes=MAX_ARCHIVE_BYTES)
        archive.unlink()
        if not any(folder.iterdir()):
            raise DataError(f"the archive at {url} holds no files", remedy="pack the folders of photos again")
    return class_root(work / "photos")


def _local_lines(root: Path) -> list[str]:
    lines = []
    for folder, _, names in os.walk(root):
        for name in names:
            path = Path(folder) / name
            stat = path.lstat()
            lines.append(f"{path.relative_to(root)} {stat.st_size} {stat.st_mtime_ns}")
    return lines
