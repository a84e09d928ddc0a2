"""What a worker makes of a predictor that is away, and of one that fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import aiohttp
import pytest

from phytoflow.system.ports import free_port
from serving.gateway.jobs import worker as module
from serving.gateway.jobs.queue import Task, TaskQueue
from serving.gateway.jobs.worker import Worker
from serving.gateway.prediction import PredictionService
from serving.gateway.problems import ProblemError
from serving.gateway.settings import TaskSettings, UpstreamSettings
from serving.gateway.upstream.predictor import Predictor, PredictorAwayError, _unreachable

REQUEST = {"user_name": "anna", "scopes": ["predict"], "options": {}, "request_id": "r", "file_name": "a.jpg"}
AWAY = PredictorAwayError(503, "predictor_busy", "its queue is full")
BROKE_OFF = _unreachable("http://predictor", aiohttp.ServerDisconnectedError())
BAD_PHOTO = ProblemError(422, "malformed", "this is no photo")


class Failing:
    """Fails with one problem after another."""

    def __init__(self, *problems: ProblemError) -> None:
        self._problems: Iterator[ProblemError] = iter(problems)
        self.asked = 0

    async def predict(self, *_: object, **__: object) -> Any:
        self.asked += 1
        raise next(self._problems)


async def attempt(predictions: Failing, age: timedelta = timedelta()) -> dict[str, Any]:
    task = Task("a" * 32, "u" * 32, "running", datetime.now(UTC) - age, REQUEST, b"photo", attempts=1)
    settings = TaskSettings(max_attempts=3, result_seconds=60)
    worker = Worker(cast(TaskQueue, None), cast(PredictionService, predictions), settings)
    state, result = await worker._attempt(task)
    assert state == "failed"
    return result


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(module, "_MAX_PAUSE_SECONDS", 0.001)


async def test_a_predictor_that_is_away_is_waited_for() -> None:
    predictions = Failing(*[AWAY] * 20, BAD_PHOTO)
    assert (await attempt(predictions))["status"] == 422
    assert predictions.asked == 21


async def test_a_task_that_breaks_the_predictor_off_is_given_up() -> None:
    predictions = Failing(*[BROKE_OFF, AWAY, AWAY] * 20)
    assert (await attempt(predictions))["reason"] == "predictor_unreachable"
    assert predictions.asked == 7  # three attempts, and four times it was not there yet


async def test_nobody_waits_for_a_result_that_has_expired() -> None:
    predictions = Failing(*[AWAY] * 20)
    assert (await attempt(predictions, timedelta(seconds=61)))["status"] == 503
    assert predictions.asked == 3


async def test_a_port_on_which_nothing_listens_is_a_predictor_that_is_away() -> None:
    predictor = Predictor(f"http://127.0.0.1:{free_port()}", UpstreamSettings())
    await predictor.open()
    with pytest.raises(PredictorAwayError):
        await predictor.info()
    await predictor.close()
