"""The queue: what a lane is given, and when it is told to wait."""

from __future__ import annotations

import asyncio
import time

from serving.predictor.jobs import Job
from serving.predictor.waiting import Waiting


def jobs(count: int) -> list[Job]:
    loop = asyncio.get_running_loop()
    return [Job(b"x", loop.create_future()) for _ in range(count)]


async def test_who_has_answers_to_tell_does_not_wait_for_a_batch_to_fill() -> None:
    waiting = Waiting(2, 4, 9, 30.0)
    waiting.put(jobs(8))
    taken = [waiting.take(wait=True) for _ in range(2)]
    assert [len(each.jobs) for each in taken if each] == [4, 4]
    waiting.put(jobs(1))
    waiting.done(4)
    start = time.perf_counter()
    assert waiting.take(wait=False) is None
    assert time.perf_counter() - start < 1
    waiting.done(4)  # nothing is run: now it is not worth waiting
    assert (last := waiting.take(wait=False)) and len(last.jobs) == 1


async def test_who_has_answers_to_tell_does_not_wait_for_photos() -> None:
    waiting = Waiting(1, 4, 9, 0.0)
    assert waiting.take(wait=False) is None
    waiting.put(jobs(2))
    assert (taken := waiting.take(wait=False)) and len(taken.jobs) == 2


async def test_what_waits_at_the_end_is_still_taken() -> None:
    waiting = Waiting(1, 4, 9, 0.0)
    waiting.put(jobs(9))
    waiting.close()
    taken = [waiting.take(wait=True) for _ in range(3)]
    assert [len(each.jobs) if each else None for each in taken] == [8, 1, None]
