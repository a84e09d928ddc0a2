"""The log of a run, which a full disk does not stop."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from phytoflow.storage.disk_errors import FULL, explain_disk_errors

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


@contextmanager
def open_log(file: Path) -> Iterator[TextIO]:
    """Opens a log to append lines to it; each is written at once.

    On a full disk lines are lost, because the step's own error must end the run, not that of the log.

    Raises:
        StorageError: The file cannot be opened.
    """
    with explain_disk_errors(file):
        raw = io.BufferedWriter(_LogFile(file, "a"))
    with io.TextIOWrapper(raw, "utf-8", errors="backslashreplace", line_buffering=True) as log:
        yield log


class _LogFile(io.FileIO):
    def write(self, content: ReadableBuffer, /) -> int:
        """Writes bytes; on a full disk they count as written."""
        try:
            return super().write(content)
        except OSError as error:
            if error.errno not in FULL:
                raise
            return memoryview(content).nbytes
