"""A bounded queue of photos from which each worker takes its part."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from serving.predictor.batching.batch_sizing import BatchQuota, batch_quota, desynchronise
from serving.predictor.batching.in_flight import InFlight
from serving.predictor.batching.jobs import Job, observe_wait
from serving.predictor.batching.linger import LingerPolicy
from serving.predictor.errors import RequestError, overloaded


class Batch(NamedTuple):
    """The jobs that a worker runs next.

    Attributes:
        jobs: At least one.
        begun: When they were taken, by ``time.perf_counter``.
        exclusive: Whether nothing else is running or queued.
        saturated: Whether every worker is busy, or photos are queued for those that are not.
    """

    jobs: list[Job]
    begun: float
    exclusive: bool
    saturated: bool


class BatchQueue:
    """Filled by the event loop's thread, emptied by the workers'.

    Args:
        workers: Number of workers.
        max_batch_size: Maximum batch size of the runtime.
        max_queue_size: Maximum number of queued photos.
        max_delay: Seconds that a photo may wait for a fuller batch while another worker is busy.
    """

    def __init__(self, workers: int, max_batch_size: int, max_queue_size: int, max_delay: float) -> None:
        self._workers, self._max_batch = workers, max_batch_size
        self._max_queue, self._max_delay = max_queue_size, max_delay
        self._jobs: deque[Job] = deque()
        self._open, self._in_flight = True, InFlight(workers)
        self._changed = threading.Condition(lock := threading.Lock())
        self._linger = LingerPolicy(lock, self.depth, lambda: self._open and bool(self._in_flight.workers))

    @property
    def is_open(self) -> bool:
        """Whether photos are accepted."""
        return self._open

    @property
    def depth(self) -> Callable[[], int]:
        """A function that counts the queued photos and holds no reference to anything else."""
        return self._jobs.__len__

    def check_room(self) -> None:
        """Raises RequestError 503 if the queue is full, before anything is spent on a request."""
        if len(self._jobs) >= self._max_queue:
            raise self._full()

    def put(self, jobs: Sequence[Job]) -> None:
        """Queues photos; raises RequestError 503 if there is no room for all of them."""
        with self._changed:
            if not self._open or len(self._jobs) + len(jobs) > self._max_queue:
                raise self._full()
            self._jobs.extend(jobs)
            self._changed.notify(len(jobs))
            self._linger.notify()

    def next_batch(self, undelivered: int, deliver: Callable[[], None]) -> Batch | None:
        """Returns a worker's part; ``done`` must be called once it was run.

        While other workers are busy, a worker that would take less than its part of all photos, those
        included that will follow its own results, delivers these first and lingers.

        Args:
            undelivered: Number of photos that the worker has run and whose results it has not delivered.
            deliver: Delivers them; called before anything is waited for.

        Returns:
            None after ``close`` once the queue is empty.
        """
        wanted = None
        if undelivered:
            with self._changed:
                wanted = self._quota_to_wait_for(undelivered)
                enough = wanted is None or len(self._jobs) >= wanted.photos
                if enough and (batch := self._take(self._patience(), wanted)):
                    return batch
            deliver()
        with self._changed:
            if wanted and wanted.photos > 1:
                self._linger.linger(wanted.photos, self._in_flight.recent_seconds)
            while not (batch := self._take(patience := self._patience())):
                if not self._open and not self._jobs:
                    return None
                self._changed.wait(patience or None)
            return batch

    def done(self, batch: Batch) -> None:
        """Marks a batch as run."""
        with self._changed:
            self._in_flight.end(len(batch.jobs), batch.begun)
            self._linger.notify()

    def close(self) -> None:
        """Accepts no more photos; those that are queued can still be taken."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
            self._linger.notify()

    def _quota_to_wait_for(self, undelivered: int) -> BatchQuota | None:
        """The quota that is worth waiting for; None: whatever is queued is taken."""
        if self._max_delay or not self._in_flight.workers or not self._linger.should_linger():
            return None
        return self._quota(undelivered)

    def _take(self, patience: float, wanted: BatchQuota | None = None) -> Batch | None:
        while self._jobs and not patience:
            jobs = [self._jobs.popleft() for _ in range(self._count(wanted or self._quota()))]
            if jobs := [job for job in jobs if not job.future.cancelled()]:
                begun = self._in_flight.begin(len(jobs))
                busy = self._in_flight.workers
                observe_wait(jobs)
                saturated = bool(self._jobs) or busy == self._workers
                return Batch(jobs, begun, busy == 1 and not self._jobs, saturated)
        return None

    def _quota(self, undelivered: int = 0) -> BatchQuota:
        photos = len(self._jobs) + self._in_flight.photos + undelivered
        return batch_quota(photos, self._workers, self._max_batch)

    def _count(self, quota: BatchQuota) -> int:
        """How many of the queued photos to take."""
        queued = len(self._jobs)
        if self._max_delay:  # photos that waited for a full batch are run as one
            return min(self._max_batch, math.ceil(queued / (self._workers - self._in_flight.workers)))
        begun = self._in_flight.recently_begun
        return desynchronise(quota, queued, begun, self._workers, self._max_batch)

    def _patience(self) -> float:
        """Seconds to wait for a fuller batch; 0 while nothing is running."""
        full = len(self._jobs) >= self._max_batch
        if not (self._max_delay and self._jobs and self._in_flight.workers and self._open) or full:
            return 0.0
        return max(self._jobs[0].created + self._max_delay - time.perf_counter(), 0.0)

    def _full(self) -> RequestError:
        return overloaded(f"{len(self._jobs)} photos are queued; try again in a second")
