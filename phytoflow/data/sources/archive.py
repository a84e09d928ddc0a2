"""Unpacks a zip or tar archive of class folders that somebody put on the web, without trusting it."""

from __future__ import annotations

import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO

from phytoflow.data.ingest.file_names import is_hidden
from phytoflow.errors import DataError

_BLOCK = 2**20  # bytes copied at a time
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, zlib.error, EOFError, RuntimeError)


def unpack(archive: Path, to: Path, *, max_bytes: int) -> None:
    """Unpacks the plain files of an archive; links, devices and permissions are left out.

    Args:
        archive: A zip file, or a tar file as it is or compressed (gzip, bzip2, xz).
        to: An existing folder; nothing is written outside of it.
        max_bytes: Unpacking more bytes is refused, whatever sizes the archive claims.

    Raises:
        DataError: It is no such archive, is damaged, leaves its folder, or is too large.
    """
    room = max_bytes
    try:
        for name, stream in _open_members(archive):
            room -= write_bounded(stream, to / safe_path(name), room)
    except DAMAGED as error:
        raise damaged(archive, error) from error


def damaged(archive: Path, error: Exception) -> DataError:
    """The error of an archive whose members cannot be read."""
    if isinstance(error, RuntimeError):  # zipfile's, for a password or an unknown compression
        remedy = "unpack it yourself and give the folder"
        return DataError(f"{archive.name} cannot be unpacked: {error}", remedy=remedy)
    return DataError(f"{archive.name} is damaged: {error}", remedy="run the same command again")


def class_root(folder: Path) -> Path:
    """The folder that holds the class folders: an archive often wraps them in folders of their own."""
    inner = [path for path in folder.iterdir() if not is_hidden(path.name)]
    return class_root(inner[0]) if len(inner) == 1 and inner[0].is_dir() else folder


def _open_members(archive: Path) -> Iterator[tuple[str, IO[bytes]]]:
    """Yields the name and the content of each plain file."""
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as file:
            for member in file.infolist():
                if not member.is_dir():
                    with file.open(member) as stream:
                        yield member.filename, stream
    elif tarfile.is_tarfile(archive):
        with tarfile.open(archive) as tar:
            for item in tar:
                if item.isreg() and (content := tar.extractfile(item)):
                    yield item.name, content
    else:
        remedy = "check the address: it must lead to the archive itself, not to a page about it"
        raise DataError(f"{archive.name} is neither a zip nor a tar file", remedy=remedy)


def safe_path(name: str) -> PurePosixPath:
    """The relative path of a member of an archive.

    Raises:
        DataError: It would leave the folder.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
        raise DataError(
            f"the archive holds {name!r}, which leaves its folder",
            remedy="do not use this archive: it was made to overwrite files",
        )
    return path


def write_bounded(stream: IO[bytes], to: Path, room: int) -> int:
    """Writes a stream to a file.

    Args:
        stream: The content.
        to: The file; its folder is made.
        room: Most bytes that may be written.

    Returns:
        How many bytes were written.

    Raises:
        DataError: There are more.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    with to.open("wb") as target:
        while block := stream.read(_BLOCK):
            if target.tell() + len(block) > room:
                raise DataError(
                    "the archive unpacks to more bytes than a set of photos has",
                    remedy="unpack it yourself and give the folder, if you trust it",
                )
            target.write(block)
        return target.tell()
