"""Turns what MLflow and what is below it raise into the project's errors."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from phytoflow.errors import PhytoflowError, StorageError, TrackingError
from phytoflow.storage.disk_errors import storage_error

# SQLite's messages, and the error of the file system behind each.
_SQLITE = {
    "database or disk is full": errno.ENOSPC,
    "attempt to write a readonly database": errno.EROFS,
    "unable to open database file": errno.EACCES,
}
_IO_ERROR = "disk I/O error"  # what SQLite says if its journal finds no space, and for a broken disk
_FULL_BELOW = 2**20  # bytes


def explain_failure(error: Exception, address: str, folder: Path | None, remedy: str) -> PhytoflowError:
    """The error to raise in place of one that MLflow lets through.

    Args:
        error: What was raised.
        address: The store, as people know it.
        folder: The output folder if the store lies there; its disk may be the cause.
        remedy: What to do about a store that cannot be reached.
    """
    if isinstance(error, PhytoflowError):
        return error
    for cause in _causes(error) if folder else ():
        if explained := _explain_disk(cause, Path(address)):
            return explained
    first_line = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return TrackingError(f"MLflow at {address}: {first_line[:300]}", remedy=remedy)


def _explain_disk(error: BaseException, database: Path) -> StorageError | None:
    if isinstance(error, OSError):
        return storage_error(error, database)
    if isinstance(error, sqlite3.Error) and (number := _disk_errno(str(error), database.parent)):
        return storage_error(OSError(number, os.strerror(number), str(database)), database)
    return None


def _disk_errno(message: str, folder: Path) -> int:
    """Number of the file system's error behind SQLite's message; 0 if it is not about the file system."""
    if _IO_ERROR in message:
        return errno.ENOSPC if shutil.disk_usage(folder).free < _FULL_BELOW else 0
    return next((number for text, number in _SQLITE.items() if text in message), 0)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes; SQLAlchemy keeps the database's own error as ``orig``."""
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        if isinstance(original := getattr(current, "orig", None), BaseException):
            yield original
        current = current.__cause__ or current.__context__
