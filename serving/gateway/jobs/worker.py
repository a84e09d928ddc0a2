"""Works on tasks: claims one, classifies its photo, stores the result, tells the webhook."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from serving.gateway.answers.build import predict_answer
from serving.gateway.auth.principal import Principal
from serving.gateway.jobs.queue import Task, TaskQueue
from serving.gateway.jobs.webhook import send_webhook
from serving.gateway.metrics import TASKS
from serving.gateway.photo import Photo
from serving.gateway.prediction import PredictionService, PredictOptions
from serving.gateway.problems import ProblemError
from serving.gateway.settings import TaskSettings
from serving.gateway.upstream.predictor import PredictorAwayError

_LOG = logging.getLogger(__name__)
_WAIT_SECONDS = 5.0
_FIRST_PAUSE_SECONDS, _MAX_PAUSE_SECONDS = 1.0, 10.0
_WEBHOOKS_AT_ONCE = 16


class Worker:
    """Works on one task at a time.

    Args:
        queue: Where tasks come from.
        predictions: Classifies and remembers.
        settings: Attempts, lease and webhooks.
    """

    def __init__(self, queue: TaskQueue, predictions: PredictionService, settings: TaskSettings) -> None:
        self._queue, self._predictions, self._settings = queue, predictions, settings
        self._webhooks: set[asyncio.Task[None]] = set()
        self._sending = asyncio.Semaphore(_WEBHOOKS_AT_ONCE)

    async def run(self) -> None:
        """Works until cancelled; a queue or predictor that is away is waited for."""
        pause = 0.5
        while True:
            try:
                task = await self._queue.claim(_WAIT_SECONDS)
                if task is not None:
                    await self.work(task)
                pause = 0.5
            except asyncio.CancelledError:
                raise
            except Exception as error:  # of Redis, the database or the network: none may end the worker
                _LOG.warning("the worker pauses for %.1f s: %s: %s", pause, type(error).__name__, error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _MAX_PAUSE_SECONDS)

    async def work(self, task: Task) -> None:
        """Works on one task to its end."""
        if task.attempts > self._settings.max_attempts:  # as if it killed every worker that began it
            state, result = "failed", _given_up(task).document(task.request.get("request_id", ""))
        else:
            async with self._heartbeat(task):
                state, result = await self._attempt(task)
        if not await self._queue.finish(task, "done" if state == "done" else "failed", result):
            return  # another worker was first
        TASKS.labels(state).inc()
        if url := task.request.get("webhook"):
            document = {"task_id": task.id, "state": state, "result": result}
            sending = asyncio.create_task(self._send(url, document))  # a slow host holds up no other task
            self._webhooks.add(sending)
            sending.add_done_callback(self._webhooks.discard)

    async def _send(self, url: str, document: dict[str, Any]) -> None:
        async with self._sending:
            try:
                await send_webhook(url, document, self._settings)
            except Exception:
                _LOG.exception("the webhook of task %s was not sent", document["task_id"])

    async def _attempt(self, task: Task) -> tuple[str, dict[str, Any]]:
        """Tries again after the predictor's faults; while it is away that is no attempt."""
        attempts, pause = task.attempts, _FIRST_PAUSE_SECONDS
        while True:
            try:
                return "done", await self._classify(task)
            except ProblemError as error:
                waits = isinstance(error, PredictorAwayError) and self._is_wanted(task)
                if error.status < 500 or not (waits or attempts < self._settings.max_attempts):
                    return "failed", error.document(task.request.get("request_id", ""))
                attempts += not waits
                await asyncio.sleep(pause)
                pause = min(2 * pause, _MAX_PAUSE_SECONDS)

    def _is_wanted(self, task: Task) -> bool:
        """Whether anybody may still fetch the result."""
        return datetime.now(UTC) - task.created < timedelta(seconds=self._settings.result_seconds)

    async def _classify(self, task: Task) -> dict[str, Any]:
        request, started = task.request, time.perf_counter()
        principal = Principal(task.user_id, request["user_name"], frozenset(request["scopes"]), "token")
        options = PredictOptions(**request["options"])
        (prediction,) = await self._predictions.predict(
            [Photo(task.photo, request["file_name"])],
            options,
            principal,
            source="task",
            request_id=request["request_id"],
            started=started,
            ids=[task.id],
        )
        answer = predict_answer(prediction, options, request["request_id"], started)
        return answer.model_dump(mode="json")

    @asynccontextmanager
    async def _heartbeat(self, task: Task) -> AsyncIterator[None]:
        """Says again and again that this worker is alive."""

        async def beat() -> None:
            while True:
                await asyncio.sleep(self._settings.lease_seconds / 3)
                with contextlib.suppress(Exception):  # a beat that fails is followed by another
                    await self._queue.extend(task)

        beating = asyncio.create_task(beat())
        try:
            yield
        finally:
            beating.cancel()


def _given_up(task: Task) -> ProblemError:
    detail = f"{task.attempts - 1} attempts ended without an answer"
    return ProblemError(500, "task_given_up", detail, remedy="send the photo again; see the workers' logs")
