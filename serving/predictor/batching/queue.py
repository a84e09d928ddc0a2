"""The photos that wait for a lane: a bounded queue from which each lane takes its share."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from serving.predictor.batching.batch_sizing import Share, out_of_step, share
from serving.predictor.batching.in_flight import UnderWay
from serving.predictor.batching.jobs import Job, started
from serving.predictor.batching.linger import Askers
from serving.predictor.errors import overloaded


class Taken(NamedTuple):
    """What a lane runs next.

    Attributes:
        jobs: At least one.
        at: When it was taken, by ``time.perf_counter``.
        alone: Nothing else is run or waits.
        crowded: Every lane is busy, or photos wait for those that are not.
    """

    jobs: list[Job]
    at: float
    alone: bool
    crowded: bool


class Waiting:
    """Filled by the event loop's thread, emptied by the lanes'.

    Args:
        lanes: How many there are.
        max_batch_size: Most photos that the runtime runs at once.
        max_queue_size: Photos waiting before more are refused.
        max_delay: Seconds that a photo may wait for others while another lane is busy.
    """

    def __init__(self, lanes: int, max_batch_size: int, max_queue_size: int, max_delay: float) -> None:
        self._lanes, self._max_batch = lanes, max_batch_size
        self._max_queue, self._max_delay = max_queue_size, max_delay
        self._jobs: deque[Job] = deque()
        self._open, self._under_way = True, UnderWay(lanes)
        self._changed = threading.Condition(lock := threading.Lock())
        self._askers = Askers(lock, self.depth, lambda: self._open and bool(self._under_way.lanes))

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
            self._askers.tell()

    def take(self, untold: int, tell: Callable[[], None]) -> Taken | None:
        """A lane's share; call ``done`` once it is run.

        While other lanes are busy, a lane that would take less than its part of all photos, those included
        that will follow its own answers, gives these first and waits for what follows: not for long, and
        only as long as it does follow.

        Args:
            untold: Photos that the lane has run and not answered.
            tell: Answers them; called before anything is waited for.

        Returns:
            None at the end.
        """
        wanted = None
        if untold:
            with self._changed:
                wanted = self._worth_waiting(untold)
                enough = wanted is None or len(self._jobs) >= wanted.photos
                if enough and (found := self._next(self._patience(), wanted)):
                    return found
            tell()
        with self._changed:
            if wanted and wanted.photos > 1:
                self._askers.wait_for(wanted.photos, self._under_way.soon)
            while not (found := self._next(patience := self._patience())):
                if not self._open and not self._jobs:
                    return None
                self._changed.wait(patience or None)
            return found

    def done(self, taken: Taken) -> None:
        """A lane has run what it took."""
        with self._changed:
            self._under_way.end(len(taken.jobs), taken.at)
            self._askers.tell()

    def close(self) -> None:
        """Takes no more in; what waits is still to be taken."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
            self._askers.tell()

    def _worth_waiting(self, untold: int) -> Share | None:
        """The share worth waiting for; None: whatever waits is taken."""
        if self._max_delay or not self._under_way.lanes or not self._askers.expected():
            return None
        return self._share(untold)

    def _next(self, patience: float, wanted: Share | None = None) -> Taken | None:
        while self._jobs and not patience:
            jobs = [self._jobs.popleft() for _ in range(self._count(wanted or self._share()))]
            if jobs := [job for job in jobs if not job.future.cancelled()]:
                at = self._under_way.begin(len(jobs))
                busy = self._under_way.lanes
                crowded = bool(self._jobs) or busy == self._lanes
                return Taken(started(jobs), at, busy == 1 and not self._jobs, crowded)
        return None

    def _share(self, untold: int = 0) -> Share:
        return share(len(self._jobs) + self._under_way.photos + untold, self._lanes, self._max_batch)

    def _count(self, part: Share) -> int:
        """How many photos to take of those that wait."""
        if self._max_delay:  # who waits for a full batch takes it
            return min(self._max_batch, math.ceil(len(self._jobs) / (self._lanes - self._under_way.lanes)))
        return out_of_step(part, len(self._jobs), self._under_way.begun, self._lanes, self._max_batch)

    def _patience(self) -> float:
        """Seconds to wait for a fuller batch; none while nothing is run."""
        full = len(self._jobs) >= self._max_batch
        if not (self._max_delay and self._jobs and self._under_way.lanes and self._open) or full:
            return 0.0
        return max(self._jobs[0].since + self._max_delay - time.perf_counter(), 0.0)
