"""Writes the features of one view to disk; a killed run goes on where it was."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from phytoflow.storage.atomic import atomic_file
from phytoflow.storage.disk_errors import explain_disk_errors
from phytoflow.training.features.extractor import Features

ACTIVATIONS, POOLED = "activations.npy", "pooled.npy"
_ROWS = "rows"  # holds the number of photos written; the file goes when the view is complete
_SECONDS_BETWEEN_SAVES = 10.0  # how much work a kill may cost


class ViewWriter:
    """Fills the arrays of one view in a folder aside, which takes its place when the view is complete.

    Args:
        folder: The view's folder.
        count: Number of photos.
        activations: Whether activations are written too.
        clock: Seconds, monotonic.

    Attributes:
        rows: Number of photos written; of a killed run too.
    """

    def __init__(
        self, folder: Path, count: int, *, activations: bool, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._folder, self._aside = folder, folder.with_name(f".{folder.name}.unfinished")
        self._count, self._activations, self._clock = count, activations, clock
        self._arrays: dict[str, Any] = {}
        self._saved = clock()
        self.rows = self._read_rows()

    def write(self, features: Features) -> None:
        """Writes the features of the next photos.

        Raises:
            StorageError: The disk has no room for the view.
        """
        activations, pooled = features
        named: dict[str, NDArray[Any]] = {POOLED: pooled}
        if self._activations:
            named[ACTIVATIONS] = activations
        if not self._arrays:
            self._arrays = {name: self._open(name, values) for name, values in named.items()}
        end = self.rows + len(pooled)
        for name, values in named.items():
            self._arrays[name][self.rows : end] = values
        self.rows = end
        if self._clock() - self._saved >= _SECONDS_BETWEEN_SAVES:
            self._save()

    def finish(self) -> None:
        """Puts the complete view in its place."""
        self._save()
        (self._aside / _ROWS).unlink()
        self._aside.replace(self._folder)

    def _open(self, name: str, values: NDArray[Any]) -> Any:
        """Opens an array of all photos, memory-mapped, and a new one with its place on the disk reserved.

        Without the reservation a full disk would end the process with SIGBUS at some later write.
        """
        path = self._aside / name
        if self.rows:
            return np.load(path, mmap_mode="r+")
        self._aside.mkdir(parents=True, exist_ok=True)
        shape = (self._count, *values.shape[1:])
        with explain_disk_errors(path):
            array = np.lib.format.open_memmap(path, "w+", values.dtype, shape)
            with path.open("r+b") as file:
                os.posix_fallocate(file.fileno(), 0, path.stat().st_size)
        return array

    def _save(self) -> None:
        """Makes sure that the rows written so far survive: first the arrays, then their number."""
        for array in self._arrays.values():
            array.flush()
        with atomic_file(self._aside / _ROWS) as path:
            path.write_text(str(self.rows))
        self._saved = self._clock()

    def _read_rows(self) -> int:
        try:
            return int((self._aside / _ROWS).read_text())
        except FileNotFoundError:
            shutil.rmtree(self._aside, ignore_errors=True)
            return 0
