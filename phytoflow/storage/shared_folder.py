"""A temporary folder that a user's processes on one machine share; the last of them removes it."""

from __future__ import annotations

import atexit
import fcntl
import os
import shutil
import stat
import tempfile
from pathlib import Path

from phytoflow.errors import StorageError
from phytoflow.storage.disk_errors import explain_disk_errors

USERS_FILE = ".users"
_held: dict[Path, int] = {}
"""Descriptor of the shared lock of each folder that this process uses."""


def shared_folder(name: str) -> Path:
    """Makes or joins the folder of this name in the system's place for temporary files.

    It is removed when the last process that called this ends. What a killed process left stays until the
    next process that uses the folder has ended.

    Args:
        name: Processes that give the same name share the folder.

    Raises:
        StorageError: The folder cannot be made, or belongs to another user.
    """
    folder = Path(tempfile.gettempdir()) / f"{name}-{os.getuid()}"
    if folder not in _held:
        _held[folder] = _join(folder)
        atexit.register(leave_folder, folder, os.getpid())
    return folder


def leave_folder(folder: Path, process: int) -> None:
    """Removes the folder unless another process uses it.

    Args:
        folder: What ``shared_folder`` returned.
        process: Id of the process that called it; a child that was forked does nothing.
    """
    if process != os.getpid() or folder not in _held:
        return
    descriptor = _held.pop(folder)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        pass  # the last one removes it
    finally:
        os.close(descriptor)


def _join(folder: Path) -> int:
    """Takes the shared lock of a folder that is there; returns its descriptor."""
    while True:
        with explain_disk_errors(folder):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = folder.lstat()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
            what = f"{folder} is not a folder of this user"
            raise StorageError(what, remedy="set TMPDIR to a folder of your own")
        try:
            descriptor = os.open(folder / USERS_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except FileNotFoundError:  # its last user has just removed it
            continue
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        if _is_there(folder, descriptor):
            return descriptor
        os.close(descriptor)


def _is_there(folder: Path, descriptor: int) -> bool:
    try:
        return (folder / USERS_FILE).stat().st_ino == os.fstat(descriptor).st_ino
    except FileNotFoundError:
        return False
