"""The micro-batcher: a queue of photos, and a few threads that each take what has queued up.

A lone photo is run at once; under load each lane takes its share of what there is, and batches form by
themselves. Preparing happens in the lane, next to the run that needs it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from serving.predictor.batching.cpu_affinity import Place
from serving.predictor.batching.jobs import Asked, Job, Outcome, Work, resolve
from serving.predictor.batching.queue import Taken, Waiting
from serving.predictor.inputs.types import size_of
from serving.predictor.inputs.views import View

_LOG = logging.getLogger(__name__)
_LIGHT_BYTES = 2**19  # of a share; how many pixels they are is known only once they are opened


class Lanes:
    """Threads that answer photos.

    Args:
        work: Prepares photos and runs them, in the lanes' threads.
        count: Number of threads.
        max_batch_size: Most photos that ``work`` runs at once.
        max_queue_size: Photos waiting before ``submit`` refuses.
        max_delay: Seconds that a photo may wait for others while another lane is busy.
    """

    def __init__(
        self, work: Work[Any], *, count: int, max_batch_size: int, max_queue_size: int, max_delay: float = 0.0
    ) -> None:
        self._work = work
        self._waiting = Waiting(count, max_batch_size, max_queue_size, max_delay)
        self._threads = [
            threading.Thread(target=self._lane, args=(i, count), name=f"lane-{i}", daemon=True)
            for i in range(count)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether every lane works."""
        return self._waiting.open and all(thread.is_alive() for thread in self._threads)

    @property
    def depth(self) -> Callable[[], int]:
        """What counts the photos that no lane has taken; holds nothing else of the lanes."""
        return self._waiting.depth

    def check_room(self) -> None:
        """Refuses, as ``submit`` would, before anything is spent on a request; RequestError 503."""
        self._waiting.check_room()

    async def submit(self, photos: Sequence[Asked]) -> list[Outcome]:
        """Answers photos in their order; when cancelled, those still waiting are not run.

        Raises:
            RequestError: 503, the queue is full.
        """
        loop = asyncio.get_running_loop()
        jobs = [Job(photo, loop.create_future()) for photo in photos]
        self._waiting.put(jobs)
        if len(jobs) == 1:  # what most requests are; gather costs several times as much
            return [await jobs[0].future]
        return await asyncio.gather(*(job.future for job in jobs))

    def close(self) -> None:
        """Lets the lanes finish what waits, then end."""
        self._waiting.close()
        for thread in self._threads:
            thread.join()

    def _lane(self, number: int, count: int) -> None:
        place = Place(number, count)
        answers = _Answers()

        def tell() -> None:  # nothing is prepared meanwhile, and the CPU is free for the event loop
            with place.inviting(answers.asker):
                answers.tell()

        while taken := self._waiting.take(len(answers), tell):
            answers = self._answered(taken, answers, place)
            del taken  # its photos are not kept while none come

    def _answered(self, taken: Taken, before: _Answers, place: Place) -> _Answers:
        """Runs photos, and tells the answers before them on the way."""
        place.keep(taken.crowded)
        try:
            return _Answers(taken.jobs, self._work.run(self._prepared(taken, before), taken.alone))
        except Exception as error:  # a lane must outlive whatever a library raises
            _LOG.exception("a batch of %d photos failed", len(taken.jobs))
            return _Answers(taken.jobs, [error] * len(taken.jobs))
        finally:
            self._waiting.done(taken)

    def _prepared(self, taken: Taken, before: _Answers) -> Any:
        """Prepares photos, then tells the answers before them; large photos keep no answer back.

        In this order, because the event loop holds Python's lock while it answers: preparing would wait for
        it, with nothing else to do, and running, which comes next, does not need it.
        """
        photos = [job.photo for job in taken.jobs]
        if not _light(photos):
            before.tell()
        try:
            return self._work.prepare(photos)
        finally:
            before.tell()


def _light(photos: Sequence[Asked]) -> bool:
    """Whether preparing them takes some milliseconds at most, as far as their bytes tell."""
    sizes = (size_of(asked.photo if isinstance(asked, View) else asked) for asked in photos)
    return sum(sizes) <= _LIGHT_BYTES


class _Answers:
    """What a lane has found and perhaps not yet told."""

    def __init__(self, jobs: Sequence[Job] = (), outcomes: Sequence[Outcome | Exception] = ()) -> None:
        self._jobs, self._outcomes = jobs, outcomes

    def __len__(self) -> int:
        return len(self._jobs)

    @property
    def asker(self) -> int:
        """The thread that waits for them."""
        return self._jobs[0].thread

    def tell(self) -> None:
        """Lets whoever asked know, once."""
        jobs, outcomes, self._jobs, self._outcomes = self._jobs, self._outcomes, (), ()
        # A closed loop means that the server is gone, and with it whoever asked.
        if jobs and not (loop := jobs[0].future.get_loop()).is_closed():
            loop.call_soon_threadsafe(resolve, jobs, outcomes)
