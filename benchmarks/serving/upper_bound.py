"""What two processes of one thread do without a server: decode, run, nothing else."""

from __future__ import annotations

import multiprocessing
import statistics
import time
from collections.abc import Sequence
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel

BATCHES = (1, 2, 4, 8)
_WARM = 3


class Limit(BaseModel):
    """What is reached without a server.

    Attributes:
        batch: Photos run at once.
        rate: Photos a second, all processes together.
        cpu_ms: Milliseconds of CPU a photo.
    """

    batch: int
    rate: float
    cpu_ms: float


def bound(work: Path, form: str, contents: list[bytes], processes: int, seconds: float) -> list[Limit]:
    """Runs every size of batch for a while.

    Args:
        work: Folder with the bundle.
        form: A runtime of phytoflow.
        contents: Encoded photos.
        processes: How many, each with one thread.
        seconds: Of each size.

    Returns:
        One limit a size.
    """
    context = multiprocessing.get_context("spawn")
    barrier, queue = context.Barrier(processes), context.Queue()
    arguments = (work, form, contents, seconds, barrier, queue)
    workers = [context.Process(target=_work, args=arguments) for _ in range(processes)]
    for worker in workers:
        worker.start()
    answers = [queue.get(timeout=120 + 10 * seconds * len(BATCHES)) for _ in workers]
    for worker in workers:
        worker.join()
    return [_together(size, [answer[size] for answer in answers]) for size in BATCHES]


def medians(rounds: Sequence[Sequence[Limit]]) -> list[Limit]:
    """Of each size of batch over the rounds, as servers' windows are summed up."""
    return [_median(each) for each in zip(*rounds, strict=True)]


def best(rounds: Sequence[Sequence[Limit]]) -> Limit | None:
    """The size of batch with the highest median."""
    return max(medians(rounds), key=lambda limit: limit.rate, default=None)


def _median(limits: Sequence[Limit]) -> Limit:
    rate = statistics.median(limit.rate for limit in limits)
    return Limit(batch=limits[0].batch, rate=rate, cpu_ms=statistics.median(lim.cpu_ms for lim in limits))


def _together(size: int, each: list[tuple[float, float]]) -> Limit:
    rate = sum(rate for rate, _ in each)
    return Limit(batch=size, rate=rate, cpu_ms=sum(rate * cpu for rate, cpu in each) / rate * 1000)


def _work(work: Path, form: str, contents: list[bytes], seconds: float, barrier: Barrier, queue: Any) -> None:
    from phytoflow.bundle.bundle import Bundle
    from phytoflow.inference.runtimes.factory import open_runtime
    from phytoflow.system.malloc import tune_malloc_for_serving

    tune_malloc_for_serving()
    bundle = Bundle.load(work / "bundle")
    runtime, preprocessing = open_runtime(form, bundle, threads=1), bundle.manifest.preprocessing  # type: ignore[arg-type]

    def run(photos: list[bytes]) -> None:
        batch = np.empty((len(photos), 3, preprocessing.size, preprocessing.size), np.float32)
        for photo, tensor in zip(photos, batch, strict=True):
            preprocessing.normalise(preprocessing.decode(photo), tensor)
        runtime.run(batch)

    rates = {}
    for size in BATCHES:
        for _ in range(_WARM):
            run(contents[:size])
        barrier.wait()
        done, start, cpu = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() < start + seconds:
            run([contents[(done + i) % len(contents)] for i in range(size)])
            done += size
        rates[size] = done / (time.perf_counter() - start), (time.process_time() - cpu) / done
    queue.put(rates)
