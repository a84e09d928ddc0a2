"""The queue: what a worker receives, and when it waits."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable

import pytest

from serving.predictor.batching import in_flight
from serving.predictor.batching.jobs import Job
from serving.predictor.batching.queue import Batch, BatchQueue

Calls = list[None]
_SLOW = 100.0  # seconds that a share seems to have taken: a quarter of it is longer than any test
_LONG = 20.0


class Clock:
    """Tells how long shares take."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(in_flight, "perf_counter", made)
    monkeypatch.setattr(in_flight, "_MAX_RECENT_SECONDS", _SLOW)  # a busy machine must not end a wait
    return made


def jobs(count: int) -> list[Job]:
    loop = asyncio.get_running_loop()
    return [Job(b"x", loop.create_future()) for _ in range(count)]


def nothing() -> None:
    """There is nothing to tell."""


def taken(waiting: BatchQueue, untold: int = 0, tell: Callable[[], None] = nothing) -> Batch:
    found = waiting.next_batch(untold, tell)
    assert found
    return found


def two_workers(clock: Clock, seconds: float) -> tuple[BatchQueue, Batch]:
    """Eight clients: a worker has run two photos in so many seconds, another runs four, two wait."""
    waiting = BatchQueue(2, 2, 99, 0.0)
    waiting.put(jobs(4))
    first, second = taken(waiting), taken(waiting)
    waiting.put(jobs(6))
    waiting.done(first)
    other = taken(waiting)
    assert (len(second.jobs), len(other.jobs)) == (2, 4)
    clock.now += seconds
    waiting.done(second)
    return waiting, other


async def test_who_has_answers_to_tell_does_not_wait_for_a_batch_to_fill() -> None:
    waiting, told = BatchQueue(2, 4, 9, 30.0), Calls()
    waiting.put(jobs(8))
    first, second = taken(waiting), taken(waiting)
    assert [len(first.jobs), len(second.jobs)] == [4, 4]
    waiting.put(jobs(1))
    waiting.done(first)

    def tell() -> None:
        told.append(None)
        waiting.done(second)  # nothing is run: now it is not worth waiting

    start = time.perf_counter()
    assert len(taken(waiting, 4, tell).jobs) == 1
    assert told
    assert time.perf_counter() - start < _LONG


async def test_what_waits_at_the_end_is_still_taken() -> None:
    waiting, told = BatchQueue(1, 4, 9, 0.0), Calls()
    waiting.put(jobs(9))
    waiting.close()
    first = taken(waiting)
    assert len(first.jobs) == 8
    waiting.done(first)
    last = taken(waiting, 8, lambda: told.append(None))
    assert len(last.jobs) == 1
    assert not told
    waiting.done(last)
    assert waiting.next_batch(1, lambda: told.append(None)) is None
    assert told


async def test_who_is_answered_is_waited_for_while_others_are_busy(clock: Clock) -> None:
    waiting, _ = two_workers(clock, _SLOW)
    more = jobs(2)
    start = time.perf_counter()
    assert len(taken(waiting, 2, threading.Timer(0.05, waiting.put, [more]).start).jobs) == 4
    assert 0.05 <= time.perf_counter() - start < _LONG


async def test_who_does_not_come_is_not_waited_for_long(clock: Clock) -> None:
    waiting, _ = two_workers(clock, 0.4)
    start = time.perf_counter()
    assert len(taken(waiting, 2).jobs) == 2
    assert 0.1 <= time.perf_counter() - start < _LONG  # a quarter of the time a share takes


async def test_who_never_comes_is_not_waited_for(clock: Clock) -> None:
    waiting, _ = two_workers(clock, 0.01)
    told: list[int] = []
    for number in range(4):
        mine = taken(waiting, 2, lambda number=number: told.append(number))  # type: ignore[misc]
        assert len(mine.jobs) == 2
        waiting.put(jobs(2))
        clock.now += 0.01
        waiting.done(mine)
    assert told == [0, 1]


@pytest.mark.parametrize(
    "end",
    [pytest.param(BatchQueue.done, id="nothing is run"), pytest.param(lambda w, _: w.close(), id="the end")],
)
async def test_nobody_is_waited_for_any_more(end: Callable[[BatchQueue, Batch], None], clock: Clock) -> None:
    waiting, other = two_workers(clock, _SLOW)
    start = time.perf_counter()
    taken(waiting, 2, threading.Timer(0.05, end, [waiting, other]).start)
    assert time.perf_counter() - start < _LONG


async def test_a_full_share_is_taken_before_anything_is_told(clock: Clock) -> None:
    waiting, _ = two_workers(clock, _SLOW)
    waiting.put(jobs(3))
    told = Calls()
    assert len(taken(waiting, 2, lambda: told.append(None)).jobs) == 4
    assert not told


async def test_workers_that_finish_together_are_desynchronised(clock: Clock) -> None:
    waiting, other = two_workers(clock, _SLOW)
    waiting.done(other)
    waiting.put(jobs(6))
    assert [len(taken(waiting).jobs) for _ in range(2)] == [4, 1]


async def test_photos_whose_clients_have_left_are_not_taken() -> None:
    waiting, photos = BatchQueue(1, 2, 99, 0.0), jobs(9)
    for job in photos[:8]:
        job.future.cancel()
    waiting.put(photos)
    assert taken(waiting).jobs == [photos[8]]
