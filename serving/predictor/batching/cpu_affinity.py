"""Where and when a lane's thread runs, and the event loop beside it: what Linux is told of them.

Lanes compute all the time and the event loop for moments. Left alone, the scheduler now and then puts two
lanes on one CPU while another has nothing to do: both batches are late, and that makes the slowest answers.
And it lets the loop interrupt a lane that computes, while the lane whose photos the loop answers waits for
Python's lock, and its CPU with it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator


class Place:
    """One lane's; made and used in its own thread.

    Args:
        lane: Its number, from 0.
        lanes: How many there are. Only where there is one for each of several CPUs that this process may use
            does each have a CPU of its own: elsewhere other lanes would be kept from free ones.
    """

    def __init__(self, lane: int, lanes: int) -> None:
        self._cpus = os.sched_getaffinity(0)  # 0: this thread
        self._own = {sorted(self._cpus)[lane]} if len(self._cpus) == lanes > 1 else None
        self._kept = False
        with contextlib.suppress(OSError):  # a sandbox may forbid it
            # Where a lane and the event loop both want a CPU, the loop has it at once.
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))

    def keep(self, kept: bool) -> None:
        """Stays on its CPU, for as long as every lane is needed; or goes wherever there is room."""
        if self._own and kept != self._kept:
            self._kept = kept
            _move(0, self._own if kept else self._cpus)

    @contextlib.contextmanager
    def inviting(self, thread: int) -> Iterator[None]:
        """Whatever wakes a thread in here wakes it on this lane's CPU, while the lane has one of its own.

        Waking uvloop does not give up Python's lock, so the thread cannot start others meanwhile, which would
        inherit the one CPU for good.

        Args:
            thread: By ``threading.get_native_id``.
        """
        if not self._kept or not self._own:
            yield
            return
        try:
            _move(thread, self._own)
            yield
        finally:
            _move(thread, self._cpus)


def _move(thread: int, cpus: set[int]) -> None:
    with contextlib.suppress(OSError):  # a sandbox may forbid it
        os.sched_setaffinity(thread, cpus)
