"""The micro-batcher: worker threads that each take a batch of queued photos, decode it and run it.

A lone photo is run at once. Under load each worker takes its part of all photos, so that batches form without
waiting. Decoding happens in the worker, next to the run that needs it.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any

from serving.predictor.batching.cpu_affinity import CpuAffinity
from serving.predictor.batching.jobs import BatchOutcome, BatchTask, Job, Outcome, PhotoInput
from serving.predictor.batching.queue import Batch, BatchQueue

_LOG = logging.getLogger(__name__)


class WorkerPool:
    """Threads that run photos.

    Args:
        task: Prepares and runs photos in the worker threads.
        workers: Number of threads.
        max_batch_size: Maximum batch size of ``task``.
        max_queue_size: Number of queued photos from which ``submit`` refuses.
        max_delay: Seconds that a photo may wait for a fuller batch while another worker is busy.
    """

    def __init__(
        self,
        task: BatchTask[Any],
        *,
        workers: int,
        max_batch_size: int,
        max_queue_size: int,
        max_delay: float = 0.0,
    ) -> None:
        self._task = task
        self._queue = BatchQueue(workers, max_batch_size, max_queue_size, max_delay)
        self._threads = [
            threading.Thread(target=self._worker_loop, args=(i, workers), name=f"worker-{i}", daemon=True)
            for i in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether all workers run."""
        return self._queue.is_open and all(thread.is_alive() for thread in self._threads)

    @property
    def queue_depth(self) -> Callable[[], int]:
        """A function that counts the queued photos and holds no reference to the pool."""
        return self._queue.depth

    def check_room(self) -> None:
        """Raises RequestError 503 if the queue is full, before anything is spent on a request."""
        self._queue.check_room()

    async def submit(self, photos: Sequence[PhotoInput]) -> list[Outcome]:
        """Runs photos and returns their outcomes in order; if cancelled, queued photos are not run.

        Raises:
            RequestError: 503, the queue is full.
        """
        loop = asyncio.get_running_loop()
        jobs = [Job(photo, loop.create_future()) for photo in photos]
        self._queue.put(jobs)
        if len(jobs) == 1:  # the usual case, for which gather costs several times as much
            return [await jobs[0].future]
        return await asyncio.gather(*(job.future for job in jobs))

    def close(self) -> None:
        """Lets the workers finish the queue, then ends them."""
        self._queue.close()
        for thread in self._threads:
            thread.join()

    def _worker_loop(self, worker: int, workers: int) -> None:
        affinity = CpuAffinity(worker, workers)
        outcome = BatchOutcome()

        def deliver() -> None:  # nothing is decoded meanwhile: this CPU is free for the event loop
            with affinity.waking_here(outcome.loop_thread):
                outcome.deliver()

        while batch := self._queue.next_batch(len(outcome), deliver):
            outcome.deliver()  # does nothing if the queue has had it delivered
            outcome = self._run(batch, affinity)
            del batch  # its photos must not be kept while the worker waits

    def _run(self, batch: Batch, affinity: CpuAffinity) -> BatchOutcome:
        affinity.pin(batch.saturated)
        try:
            prepared = self._task.prepare([job.photo for job in batch.jobs])
            return BatchOutcome(batch.jobs, self._task.run(prepared, batch.exclusive))
        except Exception as error:  # a worker must survive whatever a library raises
            _LOG.exception("a batch of %d photos failed", len(batch.jobs))
            return BatchOutcome(batch.jobs, [error] * len(batch.jobs))
        finally:
            self._queue.done(batch)
