"""Public sets of leaf photos, fetched and checked.

What a set's content must be is known in one of three ways, in this order: the ids git gives its class
folders at the commit that is fetched; a ``NAME.zip.sha256`` beside the archive on a mirror; else the first
download is trusted and its folders' ids are written down beside the photos (``OUTPUT.fetched.json``): a
later download to the same place must have the same ones.
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


class Source(BaseModel):
    """Where a set is and what it holds.

    Attributes:
        url: The archive: a zip file with one folder at its top.
        below: Folder that holds the class folders, relative to that top.
        trees: Git's id of each class folder wanted; empty: every folder, ids unknown.
        max_bytes: Most bytes of the archive, and of what is unpacked.
        citation: Whose work it is, and its licence where one is given.
    """

    model_config = ConfigDict(frozen=True)

    url: str
    below: str
    trees: dict[str, str]
    max_bytes: int
    citation: str


# PlantVillage is also published with a known hash (Mendeley Data tywbtsjrjv), but with its files renamed: the
# camera numbers that tell which photos show one leaf are gone, and with them an honest split.
SOURCES: dict[Name, Source] = {
    "plantvillage": Source(
        url="https://codeload.github.com/spMohanty/PlantVillage-Dataset/zip/"
        "40789680ba2e6382608dba47b397688fcbd0d04a",
        below="raw/color",
        trees={},
        max_bytes=8 * 2**30,
        citation="Hughes and Salathé (2015), arXiv:1511.08060; Mohanty et al. (2016). CC BY-SA 3.0",
    ),
    "dandelion": Source(
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


class Fetched(BaseModel):
    """``OUTPUT.fetched.json``: where photos came from.

    Attributes:
        name: Of the set.
        url: Of the archive.
        archive_sha256: Of the archive.
        trees: Git's id of each class folder.
        verified: Whether the content was known beforehand, and not only trusted at the first download.
        citation: Whose work it is.
    """

    name: str
    url: str
    archive_sha256: str
    trees: dict[str, str]
    verified: bool
    citation: str


def download_dataset(name: Name, output: Path, base_url: str | None = None) -> Path:
    """Fetches a public set to ``output/CLASS/...``; cut short, the same call goes on where it was.

    Args:
        name: Which set.
        output: The folder to make; must not exist or be empty. The archive waits beside it meanwhile.
        base_url: A mirror that has the same archive as ``NAME.zip`` and, if it likes, its hash as
            ``NAME.zip.sha256``. None: the set's public location.

    Returns:
        ``output``.

    Raises:
        DataError: If ``output`` holds something, or the content is not the one known.
        StorageError: If the archive cannot be had or arrives altered.
    """
    return fetch_source(name, SOURCES[name], output, base_url)


def fetch_source(name: str, source: Source, output: Path, base_url: str | None = None) -> Path:
    """As ``download_dataset``, of any source."""
    if output.exists() and (not output.is_dir() or any(output.iterdir())):
        raise DataError(f"{output} is not empty", remedy="choose a new folder: nothing is overwritten")
    output.parent.mkdir(parents=True, exist_ok=True)
    url = f"{base_url.rstrip('/')}/{name}.zip" if base_url else source.url
    sha256 = _published_hash(url) if base_url else ""
    waiting = output.with_name(f".{output.name}.zip")
    archive = download(url, waiting, max_bytes=source.max_bytes, sha256=sha256)
    known = source.trees or ({} if sha256 else _recorded(output))
    try:
        with atomic_folder(output) as folder:
            unpack_classes(archive, source.below, source.trees, folder, max_bytes=source.max_bytes)
            trees = {path.name: git_tree(path) for path in sorted(folder.iterdir())}
            _compare(trees, known, output)
    except DataError:  # of no use: the next try downloads anew
        archive.unlink()
        raise
    fetched = Fetched(
        name=name,
        url=url,
        archive_sha256=file_sha256(archive),
        trees=trees,
        verified=bool(source.trees or sha256),
        citation=source.citation,
    )
    _record(output, fetched)
    archive.unlink()
    return output


def _published_hash(url: str) -> str:
    """The hash that a mirror gives beside the archive (``sha256sum``'s form); empty if it gives none."""
    text = (read_small(f"{url}.sha256") or "").split()
    if text and (len(text[0]) != 64 or set(text[0].lower()) - set("0123456789abcdef")):
        raise StorageError(f"{url}.sha256 holds no SHA-256", remedy="tell whoever keeps the mirror")
    return text[0] if text else ""


def _recorded(output: Path) -> dict[str, str]:
    path = _record_path(output)
    if not path.exists():
        _LOG.warning("the content of %s is not known beforehand: this first download is trusted", output.name)
        return {}
    try:
        return Fetched.model_validate_json(path.read_bytes()).trees
    except ValidationError as error:
        raise DataError(f"{path} cannot be read", remedy="remove it to trust the next download") from error


def _compare(found: dict[str, str], known: dict[str, str], output: Path) -> None:
    other = sorted(label for label in known.keys() | found.keys() if known.get(label) != found.get(label))
    if known and other:
        raise DataError(
            f"the photos of {', '.join(other)} are not the known ones",
            remedy=f"fetch again; to trust a set that did change, remove {_record_path(output).name} first",
        )


def _record(output: Path, fetched: Fetched) -> None:
    with atomic_file(_record_path(output)) as path:
        path.write_text(fetched.model_dump_json(indent=2), encoding="utf-8")


def _record_path(output: Path) -> Path:
    return output.with_name(f"{output.name}.fetched.json")
