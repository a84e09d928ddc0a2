"""Writes checkpoints on a thread while training goes on."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import NamedTuple


class _Pending(NamedTuple):
    write: Future[None]
    report: Callable[[], None]


class CheckpointWriter:
    """Runs one write at a time on a thread of its own.

    What follows a write (``report``), and any error of it, happens on the caller's thread: in ``poll``, which
    is cheap enough to be called after every batch, in ``wait``, or before the next write.

    As a context manager it waits for the last write. If the block raises, it waits too but reports nothing.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1, "checkpoints")
        self._pending: _Pending | None = None

    def submit(self, write: Callable[[], None], report: Callable[[], None]) -> None:
        """Starts a write, once the one before has ended.

        Args:
            write: Writes the checkpoint; runs on the writer's thread.
            report: Called on the caller's thread when the checkpoint is stored.
        """
        self.wait()
        self._pending = _Pending(self._pool.submit(write), report)

    def poll(self) -> None:
        """Reports the write if it has ended; raises its error."""
        if self._pending and self._pending.write.done():
            self.wait()

    def wait(self) -> None:
        """Waits for the write, if there is one, and reports it; raises its error."""
        if self._pending:
            (write, report), self._pending = self._pending, None
            write.result()
            report()

    def __enter__(self) -> CheckpointWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self.wait()
        finally:
            self._pool.shutdown(wait=True)
