"""Unpacks the class folders of a zip file that a code host made, and names a folder by its content."""

from __future__ import annotations

import hashlib
import stat
import zipfile
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from phytoflow.data.sources.archive import DAMAGED, damaged, safe_path, write_bounded
from phytoflow.errors import DataError, StorageError
from phytoflow.system.progress import track


def unpack_classes(archive: Path, below: str, classes: Iterable[str], to: Path, *, max_bytes: int) -> None:
    """Unpacks the class folders of a zip file to ``to/CLASS/...``.

    Links are left out. Nothing is written outside of ``to``.

    Args:
        archive: A zip file with one folder at its top, as code hosts make them.
        below: Folder that holds the class folders, relative to that top.
        classes: Names of the class folders to unpack; empty: all.
        to: An existing folder.
        max_bytes: Unpacking more bytes is refused, whatever sizes the archive claims.

    Raises:
        DataError: The archive is no zip file, is damaged, leaves its folder, is too large, or has no such
            classes.
    """
    wanted, room = frozenset(classes), max_bytes
    try:
        with zipfile.ZipFile(archive) as file:
            members = [(m, p) for m in file.infolist() if (p := _place(m, below, wanted)) is not None]
            for member, place in track(members, "Unpacking"):
                with file.open(member) as stream:
                    room -= write_bounded(stream, to / place, room)
    except DAMAGED as error:
        raise damaged(archive, error) from error
    missing = sorted(wanted - {path.name for path in to.iterdir()})
    if missing or not members:
        what = f"{archive.name} has no {', '.join(missing) or 'photos'} below {below}"
        raise DataError(what, remedy="download it again; should it repeat, report it: the set has changed")


def git_tree(folder: Path) -> str:
    """The id that git gives a folder of plain files, 40 hexadecimal digits.

    The id of a folder in a public commit is known without its content. It therefore tells whether every
    file arrived unaltered, in whatever archive.

    Raises:
        StorageError: A file cannot be read.
    """
    entries = []
    for path in folder.iterdir():
        mode, digest = ("40000", git_tree(path)) if path.is_dir() else ("100644", _hash_file(path))
        # git sorts folders as if their names ended in a slash
        order = path.name.encode() + (b"/" if path.is_dir() else b"")
        entries.append((order, f"{mode} ".encode() + path.name.encode() + b"\0" + bytes.fromhex(digest)))
    return _hash_object("tree", b"".join(entry for _, entry in sorted(entries)))


def _place(member: zipfile.ZipInfo, below: str, classes: frozenset[str]) -> PurePosixPath | None:
    """The path of a member in the result; None for one that is not unpacked."""
    path = safe_path(member.filename)
    inner = PurePosixPath(*path.parts[1:])
    if member.is_dir() or stat.S_ISLNK(member.external_attr >> 16) or not inner.is_relative_to(below):
        return None
    place = inner.relative_to(below)
    return place if len(place.parts) > 1 and (not classes or place.parts[0] in classes) else None


def _hash_file(path: Path) -> str:
    try:
        return _hash_object("blob", path.read_bytes())
    except OSError as error:
        remedy = "check the disk, and download the set again"
        raise StorageError(f"cannot read {path}: {error.strerror}", remedy=remedy) from error


def _hash_object(kind: str, content: bytes) -> str:
    """SHA-1, because git uses it; it guards against damage, and the archive's SHA-256 against forgery."""
    return hashlib.sha1(f"{kind} {len(content)}\0".encode() + content, usedforsecurity=False).hexdigest()
