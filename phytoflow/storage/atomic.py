"""Files and folders that are whole or absent: written aside, then renamed."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phytoflow.storage.disk_errors import explain_disk_errors

_ASIDE = ".partial-"


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Gives a new empty folder to fill; it takes the place of ``path`` when the block ends well.

    A folder already at ``path`` is replaced. If the block raises, or the process dies, ``path`` is as it
    was; what a killed process left aside is removed by the next writer.

    Raises:
        StorageError: The disk is full or the place cannot be written.
    """
    with explain_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        _sweep(path)
        aside = _aside(path)
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
        StorageError: The disk is full or the place cannot be written.
    """
    with explain_disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        aside = _aside(path)
        try:
            yield aside
            aside.replace(path)
        finally:
            aside.unlink(missing_ok=True)


def _aside(path: Path) -> Path:
    return path.with_name(f".{path.name}{_ASIDE}{os.getpid()}-{uuid.uuid4().hex[:8]}")


def _replace_folder(new: Path, path: Path) -> None:
    """A folder cannot be renamed over a full one: the old one steps aside for the moment in between."""
    if path.exists():
        old = _aside(path)
        path.replace(old)
        new.replace(path)
        shutil.rmtree(old, ignore_errors=True)
    else:
        new.replace(path)


def _sweep(path: Path) -> None:
    for left in path.parent.glob(f".{path.name}{_ASIDE}*"):
        if not _alive(int(left.name.split(_ASIDE)[1].split("-")[0])):
            shutil.rmtree(left, ignore_errors=True)


def _alive(pid: int) -> bool:
    """Whether a process is there; one that may not be signalled is."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
