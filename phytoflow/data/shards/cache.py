"""Local copies of a remote dataset's shards: fetched ahead, in a bounded folder that processes share."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.shards.format import REMEDY, ShardEntry
from phytoflow.errors import StorageError
from phytoflow.storage.atomic import atomic_file
from phytoflow.storage.disk_errors import explain_disk_errors
from phytoflow.storage.uri import open_uri

_MAX_BYTES = 4 * 2**30  # 32 shards of the usual size
_BLOCK = 2**20  # bytes read at a time
_LOG = logging.getLogger(__name__)


class ShardCache:
    """Shards of one remote dataset on the local disk.

    Processes may use one folder at the same time: each shard is downloaded by one of them. The shard that was
    not used for the longest time makes room for a new one. A process that has it open can go on reading it.

    Attributes:
        dataset: The remote dataset.
        folder: Where the copies are.
        max_bytes: The copies take no more than this, as long as each shard is smaller. 0: 4 GiB, or half of
            what is free on the disk.
    """

    def __init__(self, dataset: Dataset, folder: Path, max_bytes: int = 0) -> None:
        self.dataset = dataset
        self.folder = folder
        self.max_bytes = max_bytes or min(_MAX_BYTES, shutil.disk_usage(folder).free // 2)
        self._queue: SimpleQueue[ShardEntry] = SimpleQueue()
        self._process = 0  # the one whose thread takes from the queue

    def open(self, shard: ShardEntry) -> IO[bytes]:
        """Opens the copy of a shard, which is downloaded if it is not there.

        Raises:
            StorageError: The store cannot be read, the shard was altered, or the disk is full.
        """
        path = self.folder / shard.file
        while True:
            self._fetch(shard)
            try:
                file = path.open("rb")
            except FileNotFoundError:  # another process has just made room
                continue
            now = time.time_ns()  # finer than the clock of the file system: the order of use is kept
            os.utime(file.fileno(), ns=(now, now))
            return file

    def prefetch(self, shards: Sequence[ShardEntry]) -> None:
        """Downloads shards in the background, as many as half of the cache holds; returns at once."""
        if self._process != os.getpid():  # a forked process has no thread yet
            self._process, self._queue = os.getpid(), SimpleQueue()
            threading.Thread(target=self._fetch_queued, args=(self._queue,), daemon=True).start()
        free = self.max_bytes // 2
        for shard in shards:
            free -= shard.bytes
            if free >= 0:
                self._queue.put(shard)

    def _fetch_queued(self, queue: SimpleQueue[ShardEntry]) -> None:
        while True:
            shard = queue.get()
            try:
                self._fetch(shard)
            except (StorageError, OSError) as error:  # raised again when the shard is opened
                _LOG.debug("%s was not fetched ahead: %s", shard.file, error)

    def _fetch(self, shard: ShardEntry) -> None:
        path = self.folder / shard.file
        with _locked(path.with_name(f".{path.name}.lock")):
            if not path.exists():
                with atomic_file(path) as aside:
                    self._reserve(aside, shard.bytes)
                    _download(self.dataset.shard_uri(shard), shard, aside)

    def _reserve(self, file: Path, size: int) -> None:
        """Makes an empty file that counts with its later size, so that downloads side by side fit too."""
        with _locked(self.folder / ".lock"):
            taken = sum(_bytes(path) for path in self.folder.iterdir() if _is_copy(path.name))
            copies = [(path.stat().st_mtime_ns, path) for path in self.folder.glob("*.tar")]
            for _, path in sorted(copies):
                if taken + size > self.max_bytes:
                    taken -= path.stat().st_size
                    path.unlink()
            with file.open("wb") as empty:
                empty.truncate(size)

    def __getstate__(self) -> dict[str, Any]:
        return {"dataset": self.dataset, "folder": self.folder, "max_bytes": self.max_bytes}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]


def _is_copy(name: str) -> bool:
    """Whether a file of the folder is a shard or a part of one, and not a lock."""
    return not name.endswith("lock") and not name.startswith(".users")


def _bytes(path: Path) -> int:
    """Size of a file; 0 of one that another process renames or removes at this moment."""
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _download(uri: str, shard: ShardEntry, path: Path) -> None:
    digest = hashlib.sha256()
    with open_uri(uri) as source, path.open("r+b") as file:
        while block := source.read(_BLOCK):
            digest.update(block)
            file.write(block)
    if digest.hexdigest() != shard.sha256:
        raise StorageError(f"{uri} is not the shard of the index: it was cut short or altered", remedy=REMEDY)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds a lock that ends with its process."""
    with explain_disk_errors(path):
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
