"""Secrets in files: made on first use, readable for their owner only, the same for every process."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

from phytoflow.storage.atomic import atomic_file


def read_or_make(path: Path, make: Callable[[], str]) -> str:
    """The text of a private file; made by ``make`` if there is none.

    Processes that start together agree: the first one makes the file, the others read it.

    Raises:
        OSError, StorageError: The file cannot be read or made.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        if not path.exists():
            with atomic_file(path) as aside:
                aside.touch(mode=0o600)
                aside.write_text(make())
        return path.read_text()
    finally:
        os.close(folder)
