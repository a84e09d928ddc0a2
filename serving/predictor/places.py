"""Where and when a lane's thread runs: what Linux is told of it.

Lanes compute all the time and the event loop for moments. Left alone, the scheduler now and then puts two
lanes on one CPU while another has nothing to do: both batches are late, and that makes the slowest answers.
"""

from __future__ import annotations

import contextlib
import os


class Place:
    """One lane's; made and used in its own thread.

    Args:
        lane: Its number, from 0.
        lanes: How many there are. Only where there is one for each CPU that this process may use does each
            have a CPU of its own: elsewhere other lanes would be kept from free ones.
    """

    def __init__(self, lane: int, lanes: int) -> None:
        self._cpus = os.sched_getaffinity(0)  # 0: this thread
        self._own = {sorted(self._cpus)[lane]} if len(self._cpus) == lanes else None
        self._kept = False
        with contextlib.suppress(OSError):  # a sandbox may forbid it
            # Where a lane and the event loop both want a CPU, the loop has it at once.
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))

    def keep(self, kept: bool) -> None:
        """Stays on its CPU, for as long as every lane is needed; or goes wherever there is room."""
        if self._own and kept != self._kept:
            self._kept = kept
            with contextlib.suppress(OSError):
                os.sched_setaffinity(0, self._own if kept else self._cpus)
