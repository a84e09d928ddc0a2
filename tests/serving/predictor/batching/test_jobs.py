"""Results on their way to the event loop."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest

from phytoflow.errors import PhotoError
from phytoflow.inference.predictions import Predictions
from serving.predictor.batching.jobs import BatchOutcome, Job, Outcome, PhotoResult, resolve

RESULT = PhotoResult(Predictions(np.ones((1, 1), np.float32), ("a",), None), 0, 0.1)


def jobs(count: int) -> list[Job]:
    loop = asyncio.get_running_loop()
    return [Job(b"x", loop.create_future()) for _ in range(count)]


async def test_outcomes_reach_their_futures_from_another_thread() -> None:
    waiting = jobs(2)
    fault = PhotoError("broken", reason="corrupt")
    outcome = BatchOutcome(waiting, [RESULT, fault])
    assert len(outcome) == 2 and outcome.loop_thread == threading.get_native_id()
    thread = threading.Thread(target=outcome.deliver)
    thread.start()
    assert await waiting[0].future is RESULT
    assert await waiting[1].future is fault  # a result of its photo, not of the request
    thread.join()


async def test_outcomes_are_delivered_once() -> None:
    waiting = jobs(1)
    outcome = BatchOutcome(waiting, [RESULT])
    outcome.deliver()
    outcome.deliver()
    assert not len(outcome)
    assert await waiting[0].future is RESULT


async def test_a_request_that_ended_does_not_keep_others_from_their_outcome() -> None:
    waiting = jobs(2)
    waiting[0].future.cancel()
    resolve(waiting, [RESULT, RESULT])
    assert await waiting[1].future is RESULT


async def test_a_failure_is_raised_in_each_request() -> None:
    waiting = jobs(2)
    failure = RuntimeError("runtime")
    resolve(waiting, [failure, failure])
    for job in waiting:
        with pytest.raises(RuntimeError, match="runtime"):
            await job.future


def test_nothing_is_delivered_to_a_loop_that_is_closed() -> None:
    async def make() -> list[Job]:
        return jobs(1)

    outcomes: list[Outcome | Exception] = [RESULT]
    BatchOutcome(asyncio.run(make()), outcomes).deliver()
