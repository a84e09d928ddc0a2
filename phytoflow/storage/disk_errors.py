"""Errors of the file system in words: which file, why, and what to do."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phytoflow.errors import StorageError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
"""The disk is full, or the user's part of it."""
_FORBIDDEN = frozenset({errno.EACCES, errno.EPERM})
_NO_FOLDER = frozenset({errno.ENOTDIR, errno.EEXIST, errno.EISDIR})
_ELSEWHERE = "choose another place, e.g. another --output folder"


@contextmanager
def explain_disk_errors(place: Path) -> Iterator[None]:
    """Turns errors of writing into StorageError; others pass.

    Args:
        place: File or folder that the block writes.
    """
    try:
        yield
    except OSError as error:
        if explained := storage_error(error, place):
            raise explained from error
        raise


def storage_error(error: OSError, place: Path) -> StorageError | None:
    """Returns the error of a write in words; None if it is of another kind, a missing file for instance.

    Args:
        error: What the operating system said.
        place: File or folder that was to be written.
    """
    path = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else place
    if error.errno in FULL:
        return StorageError(f"no space left to write {path}", remedy=_what_to_free(path))
    if error.errno == errno.EROFS:
        return StorageError(f"cannot write {path}: {error.strerror}", remedy=_ELSEWHERE)
    if error.errno in _FORBIDDEN and path.is_relative_to(place.parent):  # elsewhere it may be a file to read
        return StorageError(f"cannot write {path}: {error.strerror}", remedy=_ELSEWHERE)
    if error.errno in _NO_FOLDER and path.is_relative_to(place.parent):
        return StorageError(f"cannot write {path}: {_blocker(path)} is no folder", remedy=_ELSEWHERE)
    if error.errno == errno.ENOENT and _is_on_the_way(path, place):  # in /proc and the like
        return StorageError(f"cannot write {path}: no file or folder can be made there", remedy=_ELSEWHERE)
    if error.errno == errno.ENAMETOOLONG:
        return StorageError(f"cannot write {path}: the name is too long", remedy=_ELSEWHERE)
    return None


def _is_on_the_way(path: Path, place: Path) -> bool:
    """Whether a path is a folder to be made for the place, or the name that it is written under at first."""
    return path in place.parents or (path.parent == place.parent and path.name.startswith(f".{place.name}."))


def _what_to_free(path: Path) -> str:
    """Names the file system and what is left of it."""
    mount = next((p for p in (path, *path.parents) if os.path.ismount(p)), Path("/"))
    again = "then run the same command again: it resumes"
    try:
        usage = shutil.disk_usage(mount)
    except OSError:
        return f"free some disk space, {again}"
    left, total = (f"{value / 2**20:,.0f} MB" for value in (usage.free, usage.total))
    return f"free some space on {mount} ({left} of {total} are left), e.g. outputs of old runs, {again}"


def _blocker(path: Path) -> Path:
    """The file that stands where a folder should be."""
    return next((p for p in (path, *path.parents) if p.exists() and not p.is_dir()), path)
