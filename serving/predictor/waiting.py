"""The photos that wait for a lane: a bounded queue from which each lane takes its share."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from serving.predictor.errors import overloaded
from serving.predictor.jobs import Job, started
from serving.predictor.shares import share


class Taken(NamedTuple):
    """What a lane runs next.

    Attributes:
        jobs: At least one.
        alone: Nothing else is run or waits.
        crowded: Every lane is busy, or photos wait for those that are not.
    """

    jobs: list[Job]
    alone: bool
    crowded: bool


class Waiting:
    """Filled by the event loop's thread, emptied by the lanes'.

    Args:
        lanes: How many there are.
        max_batch: Most photos that the runtime runs at once.
        max_queue: Photos waiting before more are refused.
        max_delay: Seconds that a photo may wait for others while another lane is busy.
    """

    def __init__(self, lanes: int, max_batch: int, max_queue: int, max_delay: float) -> None:
        self._lanes, self._max_batch = lanes, max_batch
        self._max_queue, self._max_delay = max_queue, max_delay
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._open, self._busy, self._running = True, 0, 0  # lanes, photos

    @property
    def open(self) -> bool:
        """Whether more are taken in."""
        return self._open

    @property
    def depth(self) -> Callable[[], int]:
        """What counts the photos; holds nothing else."""
        return self._jobs.__len__

    def check_room(self) -> None:
        """Refuses, as ``put`` would, before anything is spent on a request; RequestError 503."""
        if len(self._jobs) >= self._max_queue:
            raise overloaded(f"{len(self._jobs)} photos are waiting; try again in a second")

    def put(self, jobs: Sequence[Job]) -> None:
        """Lets photos wait; RequestError 503 where there is no room for all of them."""
        with self._changed:
            if not self._open or len(self._jobs) + len(jobs) > self._max_queue:
                raise overloaded(f"{len(self._jobs)} photos are waiting; try again in a second")
            self._jobs.extend(jobs)
            self._changed.notify(len(jobs))

    def take(self, *, wait: bool) -> Taken | None:
        """A lane's share; call ``done`` once it is run.

        Args:
            wait: For photos to come, or for more of them to make a batch.

        Returns:
            None at the end, and where it would have to wait and is not to.
        """
        with self._changed:
            while True:
                patience = self._patience()
                taken = [] if patience else [self._jobs.popleft() for _ in range(self._share())]
                if jobs := [job for job in taken if not job.future.cancelled()]:
                    return self._begun(jobs)
                if not taken and not (wait and self._open):
                    return None
                if not taken:
                    self._changed.wait(patience or None)

    def done(self, photos: int) -> None:
        """A lane has run what it took."""
        with self._changed:
            self._busy -= 1
            self._running -= photos

    def close(self) -> None:
        """Takes no more in; what waits is still to be taken."""
        with self._changed:
            self._open = False
            self._changed.notify_all()

    def _begun(self, jobs: list[Job]) -> Taken:
        self._busy += 1
        self._running += len(jobs)
        crowded = bool(self._jobs) or self._busy == self._lanes
        return Taken(started(jobs), self._busy == 1 and not self._jobs, crowded)

    def _share(self) -> int:
        """How many photos to take; none where none waits."""
        if self._max_delay:  # who waits for a full batch takes it
            return min(self._max_batch, math.ceil(len(self._jobs) / (self._lanes - self._busy)))
        return share(len(self._jobs), self._running, self._lanes, self._max_batch)

    def _patience(self) -> float:
        """Seconds to wait for a fuller batch; none while nothing is run."""
        full = len(self._jobs) >= self._max_batch
        if not (self._max_delay and self._jobs and self._busy and self._open) or full:
            return 0.0
        return max(self._jobs[0].since + self._max_delay - time.perf_counter(), 0.0)
