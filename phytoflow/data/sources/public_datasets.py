"""Public sets of leaf photos, downloaded and verified.

The content that a set must have is known in one of three ways, tried in this order:

1. from the ids that git gives its class folders at the commit that is downloaded;
2. from a ``NAME.zip.sha256`` next to the archive on a mirror;
3. otherwise the first download is trusted, and the ids of its folders are recorded next to the photos
   (``OUTPUT.fetched.json``): a later download to the same place must have the same ones.
"""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from phytoflow.data.sources.download import download, read_small
from phytoflow.data.sources.git_archive import git_tree, unpack_classes
from phytoflow.errors import DataError, StorageError
from phytoflow.storage.atomic import atomic_file, atomic_folder
from phytoflow.storage.checksum import file_sha256

Name = Literal["plantvillage", "dandelion"]
_LOG = logging.getLogger(__name__)


class PublicDataset(BaseModel):
    """A public set of photos.

    Attributes:
        url: The archive, a zip file with one folder at its top.
        below: Folder that holds the class folders, relative to that top.
        trees: Git's id of each class folder to unpack; empty: all folders, ids unknown.
        max_bytes: Largest size of the archive, and of what is unpacked, in bytes.
        citation: Authors and source, and the licence if there is one.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    below: str
    trees: dict[str, str]
    max_bytes: int
    citation: str


# PlantVillage is also published with a known hash (Mendeley Data tywbtsjrjv), but with its files renamed:
# the camera numbers that tell which photos show one leaf are gone, and with them a split without leaks.
PUBLIC_DATASETS: dict[Name, PublicDataset] = {
    "plantvillage": PublicDataset(
        url="https://codeload.github.com/spMohanty/PlantVillage-Dataset/zip/"
        "40789680ba2e6382608dba47b397688fcbd0d04a",
        below="raw/color",
        trees={},
        max_bytes=8 * 2**30,
        citation="Hughes and Salathé (2015), arXiv:1511.08060; Mohanty et al. (2016). CC BY-SA 3.0",
    ),
    "dandelion": PublicDataset(
        url="https://codeload.github.com/btphan95/greenr-airflow/zip/82fc896ae71a910ca93bdaccd492630bae3ed1c3",
        below="data",
        trees={
            "dandelion": "47635a769c17947754d142702433cd679502143c",
            "grass": "d13acf85f05ec8a50ce1a1a0a05fb152ea5b95b2",
        },
        max_bytes=2**30,
        citation="Binh Phan, greenr-airflow (2020); photos from a web search, for research only",
    ),
}


class DownloadRecord(BaseModel):
    """``OUTPUT.fetched.json``: the origin of downloaded photos.

    Attributes:
        name: Name of the set.
        url: Address of the archive.
        archive_sha256: Checksum of the archive.
        trees: Git's id of each class folder.
        verified: Whether the content was known beforehand, and not only trusted at the first download.
        citation: Authors and source.
    """

    name: str
    url: str
    archive_sha256: str
    trees: dict[str, str]
    verified: bool
    citation: str


def download_public_dataset(name: Name, output: Path, base_url: str | None = None) -> Path:
    """Downloads a public set to ``output/CLASS/...``; after an interruption the same call resumes.

    Args:
        name: Name of the set.
        output: The folder to make; must not exist or be empty. The archive lies next to it meanwhile.
        base_url: A mirror with the same archive as ``NAME.zip`` and optionally its checksum as
            ``NAME.zip.sha256``. None: the set's public location.

    Returns:
        ``output``.

    Raises:
        DataError: ``output`` is not empty, or the content is not the known one.
        StorageError: The archive cannot be downloaded or arrives altered.
    """
    return download_dataset(name, PUBLIC_DATASETS[name], output, base_url)


def download_dataset(name: str, dataset: PublicDataset, output: Path, base_url: str | None = None) -> Path:
    """Does what ``download_public_dataset`` does, with any set."""
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise DataError(f"{output} is not empty", remedy="choose a new folder: nothing is overwritten")
    url = f"{base_url.rstrip('/')}/{name}.zip" if base_url else dataset.url
    sha256 = _published_checksum(url) if base_url else ""
    archive = output.with_name(f".{output.name}.zip")
    download(url, archive, max_bytes=dataset.max_bytes, sha256=sha256)
    known = dataset.trees or ({} if sha256 else _read_record(output))
    try:
        trees = _unpack(archive, dataset, output, known)
    except DataError:  # the archive is of no use: the next try downloads it anew
        archive.unlink()
        raise
    record = DownloadRecord(
        name=name,
        url=url,
        archive_sha256=file_sha256(archive),
        trees=trees,
        verified=bool(dataset.trees or sha256),
        citation=dataset.citation,
    )
    with atomic_file(_record_path(output)) as path:
        path.write_text(record.model_dump_json(indent=2), encoding="utf-8")
    archive.unlink()
    return output


def _unpack(archive: Path, dataset: PublicDataset, output: Path, known: dict[str, str]) -> dict[str, str]:
    """Unpacks the class folders and compares their ids with the known ones; returns the ids."""
    with atomic_folder(output) as folder:
        unpack_classes(archive, dataset.below, dataset.trees, folder, max_bytes=dataset.max_bytes)
        trees = {path.name: git_tree(path) for path in sorted(folder.iterdir())}
        other = sorted(label for label in known.keys() | trees.keys() if known.get(label) != trees.get(label))
        if known and other:
            record = _record_path(output).name
            remedy = f"download again; to trust a set that did change, remove {record} first"
            raise DataError(f"the photos of {', '.join(other)} are not the known ones", remedy=remedy)
    return trees


def _published_checksum(url: str) -> str:
    """The checksum that a mirror has next to the archive (``sha256sum``'s format); empty if it has none."""
    text = (read_small(f"{url}.sha256") or "").split()
    if text and (len(text[0]) != 64 or set(text[0].lower()) - set("0123456789abcdef")):
        raise StorageError(f"{url}.sha256 holds no SHA-256", remedy="tell the operator of the mirror")
    return text[0] if text else ""


def _read_record(output: Path) -> dict[str, str]:
    """The ids recorded by an earlier download; empty if there was none."""
    path = _record_path(output)
    if not path.exists():
        _LOG.warning("the content of %s is not known beforehand: this first download is trusted", output.name)
        return {}
    try:
        return DownloadRecord.model_validate_json(path.read_bytes()).trees
    except ValidationError as error:
        raise DataError(f"{path} cannot be read", remedy="remove it to trust the next download") from error


def _record_path(output: Path) -> Path:
    return output.with_name(f"{output.name}.fetched.json")
