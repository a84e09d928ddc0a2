"""Files and folders that are whole or absent: written under another name, then renamed."""

from __future__ import annotations

import ctypes
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phytoflow.errors import StorageError
from phytoflow.storage.disk_errors import explain_disk_errors

_ASIDE = ".partial-"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2  # of <fcntl.h> and <linux/fs.h>


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Gives a new empty folder to fill; it takes the place of ``path`` when the block ends well.

    A folder already at ``path`` is replaced, behind a link as well. If the block raises, or the process
    dies, ``path`` is as it was; what a killed process left is removed by the next writer.

    Raises:
        StorageError: The disk is full, the place cannot be written, or ``path`` is a file.
    """
    with explain_disk_errors(path):
        path = _behind_link(path)
        if path.exists() and not path.is_dir():
            raise _other_kind(path, "file", "folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(path)
        aside = _name_aside(path)
        aside.mkdir()
        try:
            yield aside
            _replace_folder(aside, path)
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Gives a file name to write; it is renamed to ``path`` when the block ends well.

    Raises:
        StorageError: The disk is full, the place cannot be written, or ``path`` is a folder.
    """
    with explain_disk_errors(path):
        path = _behind_link(path)
        if path.is_dir():
            raise _other_kind(path, "folder", "file")
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = _name_aside(path)
        try:
            yield aside
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


def _behind_link(path: Path) -> Path:
    """Where a link leads to: a rename onto the link itself would replace the link."""
    return path.resolve() if path.is_symlink() else path


def _other_kind(path: Path, is_now: str, wanted: str) -> StorageError:
    what = f"{path} is a {is_now}, and a {wanted} is to be written there"
    return StorageError(what, remedy=f"choose another place, or move the {is_now} away")


def _name_aside(path: Path) -> Path:
    return path.with_name(f".{path.name}{_ASIDE}{os.getpid()}-{uuid.uuid4().hex[:8]}")


def _replace_folder(new: Path, path: Path) -> None:
    """Puts ``new`` in the place of ``path``; what was there is then at ``new``, and goes."""
    if not path.exists():
        new.replace(path)
    elif not _exchange(new, path):
        old = _name_aside(path)
        path.replace(old)  # a folder cannot be renamed over one that is not empty
        new.replace(path)
        shutil.rmtree(old, ignore_errors=True)


def _exchange(one: Path, other: Path) -> bool:
    """Lets two folders change places in one step; False if the system or the file system cannot."""
    rename = getattr(ctypes.CDLL(None), "renameat2", None)
    paths = os.fsencode(one), os.fsencode(other)
    return rename is not None and rename(_AT_FDCWD, paths[0], _AT_FDCWD, paths[1], _RENAME_EXCHANGE) == 0


def _remove_leftovers(path: Path) -> None:
    """Removes what writers of ``path`` left that were killed; a living one keeps its folder."""
    start = f".{path.name}{_ASIDE}"
    for name in os.listdir(path.parent):  # noqa: PTH208 (glob would read brackets in the name)
        process, _, _ = name.removeprefix(start).partition("-")
        if name.startswith(start) and process.isdigit() and not _is_alive(int(process)):
            shutil.rmtree(path.parent / name, ignore_errors=True)


def _is_alive(process: int) -> bool:
    """Whether there is such a process; one that may not be signalled is there."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
