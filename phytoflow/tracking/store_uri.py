"""The run's own MLflow store: an SQLite file in the output folder, whatever the folder's name.

SQLAlchemy reads the address of a database as a URL: ``%20`` becomes a space and ``?`` ends the path. Quoting
does not help, because MLflow also creates the folder of the address as it is written. A folder with such
characters is therefore addressed by an open descriptor, ``/proc/self/fd/N``, which has none of them.
"""

from __future__ import annotations

import functools
import os
import sqlite3
from contextlib import closing
from pathlib import Path

DATABASE = "mlflow.db"
_SPECIAL = "%?#"  # characters that an address gives a meaning


def store_uri(folder: Path, name: str = DATABASE) -> str:
    """Address of the store in a folder.

    Args:
        folder: Absolute path of an existing folder.
        name: Of the file in it, without special characters.

    Raises:
        sqlite3.Error: The file cannot be opened and written, or is no database.
        OSError: The folder cannot be opened.
    """
    _check_writable(folder / name)
    if not any(character in str(folder) for character in _SPECIAL):
        return f"sqlite:///{folder / name}"
    return f"sqlite:////proc/self/fd/{_descriptor(folder, folder.stat().st_ino)}/{name}"


def _check_writable(database: Path) -> None:
    """Opens the database and takes its write lock: MLflow would retry for minutes before it fails."""
    with closing(sqlite3.connect(database, isolation_level=None, timeout=60)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")


@functools.cache
def _descriptor(folder: Path, inode: int) -> int:
    """A descriptor of the folder that stays open; another one if the folder was made anew."""
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
