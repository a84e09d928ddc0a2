"""One run at a time in a folder, by a lock that the kernel takes away when its last holder has ended."""

from __future__ import annotations

import errno
import fcntl
import json
import logging
import os
import shlex
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from phytoflow.errors import FolderInUseError
from phytoflow.provenance import command_line, now
from phytoflow.storage.disk_errors import explain_disk_errors

LOCK_FILE = ".run.lock"
_LOG = logging.getLogger(__name__)
_ENDING_SECONDS = 15.0
"""Longest wait for the steps of a run that was killed: they end a few seconds after it."""
_POLL_SECONDS = 0.1


@dataclass(frozen=True)
class Holder:
    """Who works in a folder.

    Attributes:
        pid: Process id.
        host: Machine that it runs on.
        since: When it began, ISO 8601.
        command: Its command line.
    """

    pid: int
    host: str
    since: str
    command: str

    @classmethod
    def this_process(cls) -> Holder:
        """Returns this process."""
        return cls(os.getpid(), socket.gethostname(), now(), command_line())

    @classmethod
    def read(cls, file: Path) -> Holder | None:
        """Reads a lock file; None if it says nothing yet."""
        try:
            return cls(**json.loads(file.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    @property
    def runs(self) -> bool:
        """Whether it still runs, as far as can be seen from this machine."""
        return self.host != socket.gethostname() or Path(f"/proc/{self.pid}").exists()


@contextmanager
def exclusive_folder(folder: Path, ending_seconds: float = _ENDING_SECONDS) -> Iterator[int]:
    """Makes a folder and works in it alone.

    A lock that a killed process left is free at once. If its children, which inherited the lock, are still
    ending, this waits for them.

    Args:
        folder: The folder.
        ending_seconds: Longest wait for the children of a process that has ended.

    Yields:
        File descriptor of the lock: a child that inherits it holds the folder too.

    Raises:
        FolderInUseError: Another process works there.
        StorageError: The folder cannot be made or written.
    """
    file = folder / LOCK_FILE
    with explain_disk_errors(file):
        folder.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        _lock(descriptor, folder, time.monotonic() + ending_seconds)
        with explain_disk_errors(file):
            os.truncate(descriptor, 0)
            os.pwrite(descriptor, json.dumps(asdict(Holder.this_process())).encode(), 0)
        yield descriptor
        os.truncate(descriptor, 0)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: Path, deadline: float) -> None:
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS):
                return _LOG.warning("%s has no locks: start only one run there at a time", folder)
            if error.errno not in (errno.EWOULDBLOCK, errno.EACCES):
                raise
        holder = Holder.read(folder / LOCK_FILE)
        if (holder and holder.runs) or time.monotonic() > deadline:
            raise _refusal(folder, holder)
        time.sleep(_POLL_SECONDS)


def _refusal(folder: Path, holder: Holder | None) -> FolderInUseError:
    look = f"look at it with `tail -f {shlex.quote(str(folder / 'run.log'))}`"
    if holder is None:
        return FolderInUseError(f"another run works in {folder}", remedy=f"{look}, or give another --output")
    what = f"another run works in {folder}: process {holder.pid} on {holder.host}, since {holder.since}"
    if not holder.runs:
        what += "; it was killed, but one of its steps has not ended yet"
    remedy = f"{look}; wait for its end, stop it with `kill {holder.pid}`, or give another --output"
    return FolderInUseError(f"{what} ({holder.command})", remedy=remedy)
