"""The micro-batcher: a bounded queue of photos and a few threads that each take what has queued up.

A lane never waits while there is work, so a lone photo is run at once; under load each takes its share of
what there is, and batches form by themselves. Decoding happens in the lane, next to the run that needs it.
"""

from __future__ import annotations

import asyncio
import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from serving.predictor.errors import overloaded
from serving.predictor.jobs import Asked, Job, Outcome, Work, resolve, started
from serving.predictor.metrics import BATCH_SIZE
from serving.predictor.places import Place

_LOG = logging.getLogger(__name__)


class _Taken(NamedTuple):
    """What a lane runs next.

    Attributes:
        jobs: At least one.
        alone: Nothing else is run or waits.
        crowded: Every lane is busy, or photos wait for those that are not.
    """

    jobs: list[Job]
    alone: bool
    crowded: bool


class Lanes:
    """Threads that answer photos.

    Each takes its part of all that is in the predictor, whether it waits or is run: a photo left behind by a
    smaller batch would wait for two others, and the smaller batch costs more a photo.

    Args:
        work: Answers a batch, told whether it is alone: nothing else is run or waits. Called in the lanes'
            threads.
        count: Number of threads.
        max_batch: Most photos a call of ``work``.
        max_queue: Photos waiting before ``submit`` refuses.
        max_delay: Seconds that a photo may wait for others while another lane is busy.
    """

    def __init__(
        self, work: Work, *, count: int, max_batch: int, max_queue: int, max_delay: float = 0.0
    ) -> None:
        self._work = work
        self._max_batch = max_batch
        self._max_queue = max_queue
        self._max_delay = max_delay
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._open, self._busy, self._running = True, 0, 0  # lanes, photos
        self._threads = [
            threading.Thread(target=self._lane, args=(i,), name=f"lane-{i}", daemon=True)
            for i in range(count)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether every lane works."""
        return self._open and all(thread.is_alive() for thread in self._threads)

    @property
    def depth(self) -> Callable[[], int]:
        """What counts the photos that no lane has taken; holds nothing else of the lanes."""
        return self._waiting.__len__

    def check_room(self) -> None:
        """Refuses, as ``submit`` would, before anything is spent on a request; RequestError 503."""
        if len(self._waiting) >= self._max_queue:
            raise overloaded(f"{len(self._waiting)} photos are waiting; try again in a second")

    async def submit(self, photos: Sequence[Asked]) -> list[Outcome]:
        """Answers photos in their order; when cancelled, those still waiting are not run.

        Raises:
            RequestError: 503, the queue is full.
        """
        loop = asyncio.get_running_loop()
        jobs = [Job(photo, loop.create_future()) for photo in photos]
        with self._changed:
            if not self._open or len(self._waiting) + len(jobs) > self._max_queue:
                raise overloaded(f"{len(self._waiting)} photos are waiting; try again in a second")
            self._waiting.extend(jobs)
            self._changed.notify(len(jobs))
        if len(jobs) == 1:  # what most requests are; gather costs several times as much
            return [await jobs[0].future]
        return await asyncio.gather(*(job.future for job in jobs))

    def close(self) -> None:
        """Lets the lanes finish what waits, then end."""
        with self._changed:
            self._open = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join()

    def _lane(self, number: int) -> None:
        place = Place(number, len(self._threads))
        while taken := self._next():
            place.keep(taken.crowded)
            outcomes = self._answer([job.photo for job in taken.jobs], taken.alone)
            # A closed loop means that the server is gone, and with it whoever asked.
            if not (loop := taken.jobs[0].future.get_loop()).is_closed():
                with place.inviting(taken.jobs[0].thread):
                    loop.call_soon_threadsafe(resolve, taken.jobs, outcomes)

    def _next(self) -> _Taken | None:
        """Waits for work and takes a fair share of it; None at the end."""
        with self._changed:
            while True:
                if (patience := self._patience()) > 0:
                    self._changed.wait(patience)
                    continue
                taken = [self._waiting.popleft() for _ in range(self._share())]
                if jobs := [job for job in taken if not job.future.cancelled()]:
                    self._busy += 1
                    self._running += len(jobs)
                    crowded = bool(self._waiting) or self._busy == len(self._threads)
                    return _Taken(started(jobs), self._busy == 1 and not self._waiting, crowded)
                if not taken and not self._open:
                    return None
                if not taken:
                    self._changed.wait()

    def _share(self) -> int:
        """How many photos to take; none where none waits."""
        waiting, lanes = len(self._waiting), len(self._threads)
        if self._max_delay:  # who waits for a full batch takes it
            return min(self._max_batch, math.ceil(waiting / (lanes - self._busy)))
        return min(self._max_batch, waiting, max((waiting + self._running) // lanes, 1))

    def _patience(self) -> float:
        """Seconds to wait for a fuller batch; none while nothing is run."""
        full = len(self._waiting) >= self._max_batch
        if not (self._max_delay and self._waiting and self._busy and self._open) or full:
            return 0.0
        return self._waiting[0].since + self._max_delay - time.perf_counter()

    def _answer(self, photos: list[Asked], alone: bool) -> Sequence[Outcome | Exception]:
        BATCH_SIZE.observe(len(photos))
        try:
            return self._work(photos, alone)
        except Exception as error:  # a lane must outlive whatever a library raises
            _LOG.exception("a batch of %d photos failed", len(photos))
            return [error] * len(photos)
        finally:
            with self._changed:
                self._busy -= 1
                self._running -= len(photos)
