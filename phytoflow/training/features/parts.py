"""The processes of a group compute a view together: each a part, exchanged through the store."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from phytoflow.storage.uri import exists, fetch_folder, is_local, join, put_folder
from phytoflow.training.distributed.group import Group
from phytoflow.training.engine.checkpoints import CheckpointStore
from phytoflow.training.features.extractor import Features
from phytoflow.training.features.view_writer import ACTIVATIONS, POOLED

_ROWS = 1024  # read at a time when parts are put together


@dataclass(frozen=True)
class Parts:
    """How the parts of a view are shared out and exchanged.

    With a local store all processes see the same folder. With a remote one each process sends its part there,
    and the first process of each machine fetches all: a machine that starts again finds what was finished.

    Attributes:
        group: The processes.
        store: Where parts are exchanged.
    """

    group: Group
    store: CheckpointStore

    @property
    def assembles(self) -> bool:
        """Whether this process puts the parts together."""
        return self._own_rank == 0

    @property
    def _remote(self) -> bool:
        return not is_local(self.store.uri)

    @property
    def _own_rank(self) -> int:
        return self.group.local_rank if self._remote else self.group.rank

    def rows(self, photos: int, batch: int, rank: int) -> slice:
        """The photos of a process's part: whole batches, the same ones that a single process computes."""
        batches, size = -(-photos // batch), self.group.size
        return slice(batches * rank // size * batch, min(photos, batches * (rank + 1) // size * batch))

    def folder(self, view: Path, rank: int) -> Path:
        """Local folder of a process's part."""
        return view.with_name(f"{view.name}.{rank + 1}-of-{self.group.size}")

    def is_shared(self, view: Path) -> bool:
        """Whether this process's part is in the store already, sent before a kill."""
        return self._remote and exists(join(self.store.uri, self._mark(view)))

    def share(self, view: Path) -> None:
        """Sends this process's part; a part of no photos has no folder."""
        folder = self.folder(view, self.group.rank)
        if self._remote:
            if folder.exists():
                put_folder(folder, self._uri(view, self.group.rank))
            self.store.put(self._mark(view), lambda path: path.write_text("complete\n"))

    def read(self, view: Path, photos: int, batch: int, start: int = 0) -> Iterator[Features]:
        """The whole view in order, a few photos at a time.

        Args:
            view: Folder of the view.
            photos: Number of its photos.
            batch: As for ``rows``.
            start: How many photos are skipped.
        """
        for rank in range(self.group.size):
            rows, folder = self.rows(photos, batch, rank), self.folder(view, rank)
            if rows.stop <= max(start, rows.start):
                continue
            if self._remote and not folder.exists():
                fetch_folder(self._uri(view, rank), folder)
            yield from _read(folder, max(0, start - rows.start))

    def remove(self, view: Path) -> None:
        """Removes the local parts."""
        for rank in range(self.group.size):
            shutil.rmtree(self.folder(view, rank), ignore_errors=True)

    def _uri(self, view: Path, rank: int) -> str:
        return join(self.store.uri, "features", self.folder(view, rank).name)

    def _mark(self, view: Path) -> str:
        """Name of what is written after the part: in an object store its files appear one by one."""
        return f"features-{self.folder(view, self.group.rank).name}.done"


def _read(folder: Path, start: int) -> Iterator[Features]:
    pooled = np.load(folder / POOLED, mmap_mode="r")
    path = folder / ACTIVATIONS
    activations = np.load(path, mmap_mode="r") if path.exists() else np.empty(len(pooled), np.float16)
    for first in range(start, len(pooled), _ROWS):
        yield activations[first : first + _ROWS], pooled[first : first + _ROWS]
