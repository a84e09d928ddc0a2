"""The micro-batcher: never waits while idle, batches under load, refuses at once, outlives failures."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import numpy as np
import pytest

from phytoflow.errors import PhotoError
from phytoflow.inference.predictions import Predictions
from serving.predictor.batching.jobs import Outcome, PhotoResult
from serving.predictor.batching.worker_pool import WorkerPool
from serving.predictor.errors import RequestError
from serving.predictor.inputs.types import Photo

Answer = asyncio.Task[list[Outcome]]


class Plain:
    """Runs photos as they are.

    Args:
        run: What is done with them.
    """

    def __init__(self, run: Callable[[Sequence[Photo], bool], list[Outcome]]) -> None:
        self.run = run

    def prepare(self, photos: Sequence[Photo]) -> Sequence[Photo]:
        return photos


class BatchTask(Plain):
    """Answers each photo with its own bytes' length; can be held."""

    def __init__(self) -> None:
        super().__init__(self._run)
        self.batches: list[int] = []
        self.alone: list[bool] = []
        self.gate = threading.Event()
        self.gate.set()

    def _run(self, photos: Sequence[Photo], alone: bool) -> list[Outcome]:
        self.batches.append(len(photos))
        self.alone.append(alone)
        assert self.gate.wait(10)
        if b"explode" in photos:
            raise RuntimeError("library")
        return [self._one(photo) for photo in photos]

    def _one(self, photo: Photo) -> Outcome:
        if photo == b"bad":
            return PhotoError("bad", reason="truncated")
        return PhotoResult(Predictions(np.array([[len(photo)]], np.float32), ("length",)), 0, 0.0)


class Held(Plain):
    """Runs a batch until it is released by its name, which is its photos' contents in a row."""

    def __init__(self) -> None:
        super().__init__(self._run)
        self.batches: list[bytes] = []
        self._released: defaultdict[bytes, threading.Event] = defaultdict(threading.Event)

    def _run(self, photos: Sequence[Photo], alone: bool) -> list[Outcome]:
        name = b"".join(photo for photo in photos if isinstance(photo, bytes))
        self.batches.append(name)
        assert self._released[name].wait(10)
        return [PhotoError("bad", reason="truncated") for _ in photos]

    def release(self, *names: bytes) -> None:
        for name in names:
            self._released[name].set()

    async def has(self, *names: bytes) -> None:
        """Waits until these have begun; any others are wrong."""
        for _ in range(100):
            if len(self.batches) >= len(names):
                break
            await asyncio.sleep(0.01)
        assert sorted(self.batches) == sorted(names)


@pytest.fixture
def work() -> BatchTask:
    return BatchTask()


@pytest.fixture
def pool(work: BatchTask) -> Iterator[WorkerPool]:
    made = WorkerPool(work, workers=1, max_batch_size=4, max_queue_size=6)
    yield made
    work.gate.set()
    made.close()


def lengths(outcomes: Sequence[Outcome]) -> list[float]:
    return [float(row.batch.probabilities[row.row, 0]) for row in outcomes if isinstance(row, PhotoResult)]


async def test_answers_keep_the_order_of_the_photos(pool: WorkerPool) -> None:
    photos = [b"x" * n for n in (3, 1, 2, 5, 4)]
    assert lengths(await pool.submit(photos)) == [3, 1, 2, 5, 4]


async def test_a_lone_photo_is_run_at_once(pool: WorkerPool) -> None:
    start = time.perf_counter()
    await pool.submit([b"x"])
    assert time.perf_counter() - start < 0.1


async def test_what_queues_up_is_run_together(pool: WorkerPool, work: BatchTask) -> None:
    await _occupied(pool, work)
    later = [asyncio.create_task(pool.submit([b"x" * n])) for n in range(1, 6)]
    await asyncio.sleep(0.05)
    work.gate.set()
    assert [lengths(answer) for answer in await asyncio.gather(*later)] == [[n] for n in range(1, 6)]
    assert work.batches == [1, 4, 1]


async def test_two_workers_share_a_request() -> None:
    work = BatchTask()
    pool = WorkerPool(work, workers=2, max_batch_size=8, max_queue_size=100)
    work.gate.clear()
    task = asyncio.create_task(pool.submit([b"x"] * 8))
    await asyncio.sleep(0.1)
    assert work.batches == [4, 4]
    work.gate.set()
    assert len(await task) == 8
    pool.close()


async def test_none_is_left_behind_by_a_smaller_batch() -> None:
    """The other worker runs two: a photo left here would wait for those and for the smaller batch."""
    held = Held()
    pool = WorkerPool(held, workers=2, max_batch_size=2, max_queue_size=100)
    task = asyncio.create_task(pool.submit([b"a", b"b", b"c", b"d", b"e", b"f"]))
    await held.has(b"ab", b"cd")
    held.release(b"ab")
    await held.has(b"ab", b"cd", b"ef")
    held.release(b"cd", b"ef")
    assert len(await task) == 6
    await asyncio.to_thread(pool.close)


async def test_what_two_workers_can_share_is_not_run_by_one() -> None:
    """The other worker runs one photo, and will soon be back."""
    held = Held()
    pool = WorkerPool(held, workers=2, max_batch_size=2, max_queue_size=100)
    first = asyncio.create_task(pool.submit([b"a", b"b"]))
    await held.has(b"a", b"b")
    second = asyncio.create_task(pool.submit([b"c", b"d", b"e"]))
    await asyncio.sleep(0.05)
    held.release(b"a")
    await held.has(b"a", b"b", b"cd")
    held.release(b"b", b"cd", b"e")
    assert (len(await first), len(await second)) == (2, 3)
    assert sorted(held.batches) == [b"a", b"b", b"cd", b"e"]
    await asyncio.to_thread(pool.close)


class Steps(Held):
    """Prepares each batch until that is released, too, by its name in capitals."""

    def prepare(self, photos: Sequence[Photo]) -> Sequence[Photo]:
        self._run([photo.upper() for photo in photos if isinstance(photo, bytes)], False)
        return photos


async def _behind(pool: WorkerPool, steps: Steps, photo: bytes) -> tuple[Answer, Answer]:
    """A photo that waits while another is answered; those who ask for the other and for it."""
    first = asyncio.create_task(pool.submit([b"a"]))
    await steps.has(b"A")
    second = asyncio.create_task(pool.submit([photo]))
    await asyncio.sleep(0.05)
    steps.release(b"A", b"a")
    return first, second


async def test_an_outcome_is_delivered_before_the_next_photo_is_prepared() -> None:
    steps = Steps()
    pool = WorkerPool(steps, workers=1, max_batch_size=1, max_queue_size=9)
    first, second = await _behind(pool, steps, b"b")
    await asyncio.wait_for(first, 5)  # while b is still prepared
    assert not second.done()
    steps.release(b"B", b"b")
    await second
    await asyncio.to_thread(pool.close)


async def test_a_photo_that_cannot_be_prepared_keeps_no_answer_back() -> None:
    class Broken(Held):
        def prepare(self, photos: Sequence[Photo]) -> Sequence[Photo]:
            if b"b" in photos:
                raise RuntimeError("library")
            return photos

    broken = Broken()
    pool = WorkerPool(broken, workers=1, max_batch_size=1, max_queue_size=9)
    first = asyncio.create_task(pool.submit([b"a"]))
    await broken.has(b"a")
    second = asyncio.create_task(pool.submit([b"b"]))
    await asyncio.sleep(0.05)
    broken.release(b"a")
    assert len(await asyncio.wait_for(first, 5)) == 1
    with pytest.raises(RuntimeError, match="library"):
        await asyncio.wait_for(second, 5)
    assert pool.alive
    await asyncio.to_thread(pool.close)


async def test_work_is_told_whether_it_is_alone() -> None:
    work = BatchTask()
    pool = WorkerPool(work, workers=2, max_batch_size=1, max_queue_size=100)
    await pool.submit([b"x"])
    work.gate.clear()
    first = asyncio.create_task(pool.submit([b"x"]))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(pool.submit([b"x"]))
    await asyncio.sleep(0.05)
    work.gate.set()
    await asyncio.gather(first, second)
    await pool.submit([b"x"] * 3)  # the last of them may find the other worker done, or not
    assert work.alone[:5] == [True, True, False, False, False]
    pool.close()


async def test_with_a_delay_a_batch_fills_while_another_worker_is_busy(work: BatchTask) -> None:
    pool = WorkerPool(work, workers=2, max_batch_size=4, max_queue_size=100, max_delay=0.3)
    await _occupied(pool, work)  # the one worker is idle, so the first photo did not wait
    begun = time.perf_counter()
    early = asyncio.create_task(pool.submit([b"x"]))
    await asyncio.sleep(0.05)
    late = asyncio.create_task(pool.submit([b"xx"]))
    await asyncio.sleep(0.05)
    assert work.batches == [1]
    while len(work.batches) < 2:
        await asyncio.sleep(0.01)
    assert time.perf_counter() - begun >= 0.29
    assert work.batches == [1, 2]
    work.gate.set()
    assert [lengths(answer) for answer in await asyncio.gather(early, late)] == [[1], [2]]
    await asyncio.to_thread(pool.close)


async def test_workers_stay_on_their_cpus_only_while_all_are_needed() -> None:
    """The last photo of a crowd has every CPU again."""
    places: list[int] = []

    def work(photos: Sequence[Photo], alone: bool) -> list[Outcome]:
        places.append(len(os.sched_getaffinity(threading.get_native_id())))
        threading.Event().wait(0.1)
        return [PhotoError("bad", reason="truncated") for _ in photos]

    cpus = len(os.sched_getaffinity(0))
    pool = WorkerPool(Plain(work), workers=cpus, max_batch_size=1, max_queue_size=2 * cpus)
    await pool.submit([b"x"] * 2 * cpus)
    await pool.submit([b"x"])
    await asyncio.to_thread(pool.close)
    assert places[0] == 1
    assert places[-1] == cpus


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="needs two CPUs")
async def test_the_loop_is_woken_on_the_cpu_of_a_saturated_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And keeps all its CPUs: threads that it starts would inherit fewer."""
    moves: list[tuple[int, int]] = []
    change, cpus, loop = os.sched_setaffinity, os.sched_getaffinity(0), threading.get_native_id()

    def noted(thread: int, to: set[int]) -> None:
        moves.append((thread, len(to)))
        change(thread, to)

    def work(photos: Sequence[Photo], alone: bool) -> list[Outcome]:
        threading.Event().wait(0.05)
        return [PhotoError("bad", reason="truncated") for _ in photos]

    monkeypatch.setattr(os, "sched_setaffinity", noted)
    pool = WorkerPool(Plain(work), workers=len(cpus), max_batch_size=1, max_queue_size=2 * len(cpus))
    await pool.submit([b"x"] * 2 * len(cpus))
    await asyncio.to_thread(pool.close)
    to = [count for thread, count in moves if thread == loop]
    assert (to[0], to[-1]) == (1, len(cpus))
    assert os.sched_getaffinity(0) == cpus


async def test_a_full_queue_refuses_at_once(pool: WorkerPool, work: BatchTask) -> None:
    await _occupied(pool, work)
    waiting = asyncio.create_task(pool.submit([b"x"] * 6))
    await asyncio.sleep(0)
    with pytest.raises(RequestError) as caught:
        await pool.submit([b"x"])
    assert caught.value.status == 503
    work.gate.set()
    assert len(await waiting) == 6
    assert lengths(await pool.submit([b"xx"])) == [2]  # and recovers


async def test_work_whose_client_has_gone_is_not_done(pool: WorkerPool, work: BatchTask) -> None:
    await _occupied(pool, work)
    gone = asyncio.create_task(pool.submit([b"x"] * 3))
    await asyncio.sleep(0.05)
    gone.cancel()
    stays = asyncio.create_task(pool.submit([b"x"]))
    await asyncio.sleep(0.05)
    work.gate.set()
    await stays
    assert sum(work.batches) == 2


async def test_one_bad_photo_spoils_no_other(pool: WorkerPool) -> None:
    good, bad = await asyncio.gather(pool.submit([b"xx"]), pool.submit([b"bad"]))
    assert lengths(good) == [2]
    assert isinstance(bad[0], PhotoError)


async def test_a_worker_outlives_a_failure(pool: WorkerPool) -> None:
    with pytest.raises(RuntimeError, match="library"):
        await pool.submit([b"explode"])
    assert pool.alive
    assert lengths(await pool.submit([b"x"])) == [1]


async def test_closing_finishes_what_waits(work: BatchTask) -> None:
    pool = WorkerPool(work, workers=1, max_batch_size=4, max_queue_size=9)
    task = asyncio.create_task(pool.submit([b"x"] * 9))
    await asyncio.sleep(0)
    await asyncio.to_thread(pool.close)
    assert len(await task) == 9
    assert not pool.alive
    with pytest.raises(RequestError):
        await pool.submit([b"x"])


async def _occupied(pool: WorkerPool, work: BatchTask) -> None:
    """Leaves the worker busy with one photo until the gate opens."""
    work.gate.clear()
    task = asyncio.create_task(pool.submit([b"first"]))
    while not work.batches:
        await asyncio.sleep(0.01)
    task.add_done_callback(lambda _: None)
