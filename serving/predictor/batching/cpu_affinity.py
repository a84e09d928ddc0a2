"""CPU affinity of worker threads.

Workers compute all the time, the event loop for moments. Left alone, the scheduler sometimes puts two
workers on one CPU while another CPU idles: both batches are late. It also lets the event loop interrupt a
worker that computes, while the worker whose results the loop delivers waits for the GIL, and its CPU with
it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


class CpuAffinity:
    """The affinity of one worker; made and used in its own thread.

    Args:
        worker: Number of the worker, from 0.
        workers: Number of workers. Only with one worker for each of several CPUs does each have a CPU of its
            own; otherwise pinning would keep workers from free CPUs.
    """

    def __init__(self, worker: int, workers: int) -> None:
        self._cpus = os.sched_getaffinity(0)  # 0: this thread
        self._own = {sorted(self._cpus)[worker]} if len(self._cpus) == workers > 1 else None
        self._pinned = False

    def pin(self, pinned: bool) -> None:
        """Binds the thread to its own CPU, or lets it run on all of them."""
        if self._own and pinned != self._pinned:
            self._pinned = pinned
            _set_affinity(0, self._own if pinned else self._cpus)

    @contextlib.contextmanager
    def waking_here(self, thread: int) -> Iterator[None]:
        """Within the block another thread, if it is woken, wakes on this worker's CPU while that is pinned.

        Waking uvloop does not release the GIL, so that the thread cannot start further threads meanwhile,
        which would inherit the one CPU for good.

        Args:
            thread: Native id of the thread.
        """
        if not self._pinned or not self._own:
            yield
            return
        try:
            _set_affinity(thread, self._own)
            yield
        finally:
            _set_affinity(thread, self._cpus)


def _set_affinity(thread: int, cpus: set[int]) -> None:
    with contextlib.suppress(OSError):  # a sandbox may forbid it
        os.sched_setaffinity(thread, cpus)
