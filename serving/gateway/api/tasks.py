"""POST /v1/predict_async and GET /v1/result/{task_id}."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Request, Response

from phytoflow.protocol.prediction_id import new_id
from serving.gateway.answers.schemas import TaskAnswer
from serving.gateway.api.dependencies import Caller, ServicesOf, read_options
from serving.gateway.api.openapi import photo_body, problems
from serving.gateway.api.photos import read_photos
from serving.gateway.auth.principal import Principal
from serving.gateway.jobs.queue import Task
from serving.gateway.jobs.webhook import check_webhook
from serving.gateway.problems import ProblemError, request_id_of

router = APIRouter(tags=["asynchronous predictions"])
_RETRY_SECONDS = "1"
TaskId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="As /v1/predict_async gave it.")]


@router.post(
    "/predict_async",
    status_code=202,
    response_model=TaskAnswer,
    responses=problems(400, 413, 415, 422, 429),
    openapi_extra=photo_body(several=False, webhook=True),
)
async def predict_async(request: Request, caller: Caller, services: ServicesOf) -> Response:
    """Accepts a photo; the answer is fetched later, or sent to a webhook."""
    caller.require("predict")
    settings = services.settings
    quota = await services.limiter.take(caller.user_id, 1)
    found = await read_photos(request, max_photos=1, max_photo_bytes=settings.server.max_photo_bytes)
    fields = dict(request.query_params) | found.options
    options, webhook = read_options(fields), fields.get("webhook")
    task = Task(
        id=new_id(),
        user_id=caller.user_id,
        state="queued",
        created=datetime.now(UTC),
        photo=bytes(found.photos[0].content),
        request={
            "request_id": request_id_of(request),
            "user_name": caller.name,
            "scopes": sorted(caller.scopes),
            "file_name": found.photos[0].name,
            "options": vars(options),
            "webhook": "" if webhook is None else check_webhook(str(webhook), settings.tasks),
        },
    )
    await services.tasks.put(task)
    headers = quota.headers() | {"Location": f"/v1/result/{task.id}", "Retry-After": _RETRY_SECONDS}
    return Response(orjson.dumps(_answer(task)), 202, headers, "application/json")


@router.get("/result/{task_id}", response_model=TaskAnswer, responses=problems(404, 410))
async def result(task_id: TaskId, caller: Caller, services: ServicesOf) -> Response:
    """The state of a task, with its answer once it is done."""
    task = _own(await services.tasks.get(task_id), caller)
    if task.state == "expired":
        raise ProblemError(
            410, "expired", "the result of this task has expired", remedy="send the photo again"
        )
    headers = {"Retry-After": _RETRY_SECONDS} if task.state in ("queued", "running") else {}
    return Response(orjson.dumps(_answer(task)), headers=headers, media_type="application/json")


def _own(task: Task | None, caller: Principal) -> Task:
    """Another user's task is as unknown as one that never was."""
    if task is None or task.user_id != caller.user_id:
        raise ProblemError(404, "no_such_task", "there is no task of this id")
    return task


def _answer(task: Task) -> dict[str, object]:
    answer: dict[str, object] = {"task_id": task.id, "state": task.state, "created": task.created}
    answer["result"] = task.result if task.state == "done" else None
    answer["problem"] = task.result if task.state == "failed" else None
    return answer
