"""POST /v1/predict and /v1/predict_batch."""

from __future__ import annotations

import orjson
from fastapi import APIRouter, Request, Response
from pydantic import BaseModel

from serving.gateway.answers.build import batch_answer, predict_answer
from serving.gateway.answers.schemas import BatchAnswer, PredictAnswer
from serving.gateway.api.dependencies import Caller, ServicesOf, read_options
from serving.gateway.api.openapi import photo_body, problems
from serving.gateway.api.photos import read_photos, too_many
from serving.gateway.limits.limiter import Quota
from serving.gateway.problems import request_id_of

router = APIRouter(tags=["predictions"])


@router.post(
    "/predict",
    response_model=PredictAnswer,
    responses=problems(400, 413, 415, 422, 429, 502, 504),
    openapi_extra=photo_body(several=False),
)
async def predict(request: Request, caller: Caller, services: ServicesOf) -> Response:
    """Classifies one photo."""
    started = request.state.started
    caller.require("predict")
    quota = await services.limiter.take(caller.user_id, 1)
    server = services.settings.server
    found = await read_photos(request, max_photos=1, max_photo_bytes=server.max_photo_bytes)
    options = read_options(dict(request.query_params) | found.options)
    (prediction,) = await services.predictions.predict(
        found.photos, options, caller, source="rest", request_id=request_id_of(request), started=started
    )
    return _answer(predict_answer(prediction, options, request_id_of(request), started), quota)


@router.post(
    "/predict_batch",
    response_model=BatchAnswer,
    responses=problems(400, 413, 415, 422, 429, 502, 504),
    openapi_extra=photo_body(several=True),
)
async def predict_batch(request: Request, caller: Caller, services: ServicesOf) -> Response:
    """Classifies up to 16 photos; each counts against the limit."""
    started = request.state.started
    caller.require("predict")
    server = services.settings.server
    found = await read_photos(request, max_photos=server.max_photos, max_photo_bytes=server.max_photo_bytes)
    if len(found.photos) > server.max_photos:
        raise too_many(len(found.photos), server.max_photos)
    options = read_options(dict(request.query_params) | found.options)
    quota = await services.limiter.take(caller.user_id, len(found.photos))
    predictions = await services.predictions.predict(
        found.photos, options, caller, source="rest", request_id=request_id_of(request), started=started
    )
    return _answer(batch_answer(predictions, options, request_id_of(request), started), quota)


def _answer(answer: BaseModel, quota: Quota) -> Response:
    """The answer as JSON; pydantic's own encoder costs several times as much for large explanations."""
    body = orjson.dumps(answer.model_dump())
    return Response(body, media_type="application/json", headers=quota.headers())
