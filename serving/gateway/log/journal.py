"""Predictions on their way to the database: appended to a file before they are answered.

The file is the queue. A killed process loses nothing, because what it appended is in the file. A database
that is away costs nothing but space. What a former process left behind is loaded by the next one.
"""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from phytoflow.storage.atomic import atomic_file
from serving.gateway.metrics import DROPPED, JOURNAL_BYTES

_LOCK = "lock"
_SUFFIX = ".jsonl"
_REFUSED = "refused.ndjson"
_MAX_REFUSED_BYTES = 16 * 2**20  # of records to be looked at by a person


class Journal:
    """An append-only queue of records in one folder, which belongs to this process.

    Args:
        folder: Folder of all journals of this machine; the process takes a subfolder of its own.
        max_bytes: Records beyond this size in all are dropped and counted.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._folder, self._max_bytes = folder, max_bytes
        folder.mkdir(parents=True, exist_ok=True)
        self._next, self._size, self._file = 0, 0, -1
        self._guard = threading.Lock()  # the event loop appends while a thread closes segments
        self._own = self._claim()
        self._bytes = sum(path.stat().st_size for path in self.segments())

    def append(self, record: dict[str, Any]) -> bool:
        """Appends a record; False if the journal is full or the disk refuses it."""
        line = orjson.dumps(record) + b"\n"
        try:
            with self._guard:
                self._write(line)
        except OSError:
            DROPPED.inc()
            return False
        return True

    def segments(self) -> list[Path]:
        """Closed segments, oldest first, of this process and of processes that are gone.

        The open segment is closed first, so that everything appended before is among them.
        """
        with self._guard:
            if self._size:
                os.close(self._file)
                self._next, self._size, self._file = self._next + 1, 0, -1
        orphans = [path for folder in self._orphans() for path in sorted(folder.glob(f"*{_SUFFIX}"))]
        return orphans + [path for path in sorted(self._own.glob(f"*{_SUFFIX}")) if not self._is_open(path)]

    def remove(self, segment: Path) -> None:
        """Removes a segment whose records are in the database; another process may have done so already."""
        try:
            size = segment.stat().st_size
            segment.unlink()
        except FileNotFoundError:
            return
        with self._guard:
            self._count(-size)

    def refuse(self, record: dict[str, Any]) -> None:
        """Sets aside a record that the database will never take, so that it keeps no other back."""
        DROPPED.inc()
        place = os.open(self._folder / _REFUSED, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(place, "ab") as file:
            if file.tell() < _MAX_REFUSED_BYTES:
                file.write(orjson.dumps(record) + b"\n")

    def forget(self, user_id: str) -> None:
        """Removes a user's records from those that were set aside."""
        path = self._folder / _REFUSED
        if not path.exists():
            return
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if user_id.encode() not in line]
        if len(kept) < len(lines):
            with atomic_file(path) as aside:
                aside.touch(mode=0o600)
                aside.write_bytes(b"".join(kept))

    def close(self) -> None:
        """Closes the journal; what it holds is loaded by the next process."""
        self.segments()
        os.close(self._lock)

    def _write(self, line: bytes) -> None:
        if self._bytes + len(line) > self._max_bytes:
            raise OSError("the journal is full")
        if self._file < 0:
            path = self._path(self._next)
            self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        if os.write(self._file, line) < len(line):
            os.ftruncate(self._file, self._size)  # half a line would spoil the next one
            raise OSError("the disk is full")
        self._size += len(line)
        self._count(len(line))

    def _path(self, number: int) -> Path:
        return self._own / f"{number:012d}{_SUFFIX}"

    def _is_open(self, path: Path) -> bool:
        """Whether records are still appended to a file, which a thread may have begun a moment ago."""
        return path >= self._path(self._next)

    def _count(self, difference: int) -> None:
        self._bytes = max(0, self._bytes + difference)
        JOURNAL_BYTES.set(self._bytes)

    def _claim(self) -> Path:
        """A subfolder that no living process holds; the lock ends with the process that holds it."""
        number = 0
        while True:
            own = self._folder / f"{number:04d}"
            own.mkdir(exist_ok=True)
            self._lock = os.open(own / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(self._lock)
                number += 1
                continue
            names = [int(path.stem) for path in own.glob(f"*{_SUFFIX}")]
            self._next = max(names, default=-1) + 1
            return own

    def _orphans(self) -> Iterator[Path]:
        for folder in sorted(self._folder.iterdir()):
            if folder == self._own or not folder.is_dir():
                continue
            lock = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                continue
            else:
                yield folder
            finally:
                os.close(lock)


def read_segment(segment: Path) -> Iterator[dict[str, Any]]:
    """The records of a segment; a line that a kill cut off is counted as dropped.

    A segment that another process has loaded and removed meanwhile has none.
    """
    try:
        lines = segment.read_bytes().splitlines()
    except FileNotFoundError:
        return
    for line in lines:
        try:
            record = orjson.loads(line)
        except orjson.JSONDecodeError:
            record = None
        if isinstance(record, dict):
            yield record
        else:
            DROPPED.inc()
