"""POST /v1/log: predictions of callers that asked the predictor itself, sent by its log sender."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from serving.gateway.api.dependencies import Caller, ServicesOf
from serving.gateway.api.openapi import problems
from serving.gateway.metrics import PHOTOS, UNKNOWN_PHOTOS

router = APIRouter(tags=["log"])
_BATCH = 500


class LoggedPrediction(BaseModel, extra="forbid"):
    """A prediction as the predictor remembers it; see ``log.tables.Prediction``."""

    id: str = Field(pattern="^[0-9a-f]{32}$")
    created: datetime
    source: Literal["v2-rest", "v2-grpc", "v1"]
    photo_sha256: str = Field("", pattern="^([0-9a-f]{64})?$")
    label: str = Field(max_length=255)
    confidence: float = Field(ge=0, le=1)
    known: bool | None = None
    novelty: float | None = None
    top: list[tuple[str, float]] = Field([], max_length=20)
    latency_ms: float = Field(ge=0)
    model: str = Field(max_length=63)
    model_version: str = Field(max_length=64)
    request_id: str = Field("", max_length=64)
    features: str | None = Field(None, max_length=65536, description="float16 little-endian, base64.")


class LogRequest(BaseModel, extra="forbid"):
    """A batch."""

    predictions: list[LoggedPrediction] = Field(max_length=_BATCH)


@router.post("/log", status_code=202, include_in_schema=False, responses=problems(400))
async def log(body: LogRequest, caller: Caller, services: ServicesOf) -> Response:
    """Remembers predictions; a batch that is sent twice counts once."""
    caller.require("log")
    for one in body.predictions:
        fields = one.model_dump() | {
            "created": one.created.timestamp(),
            "top": [list(pair) for pair in one.top],
        }
        services.log.add_line(fields | {"user_id": "", "user_name": "", "file_name": "", "role": "champion"})
        PHOTOS.labels(one.source).inc()
        UNKNOWN_PHOTOS.inc(one.known is False)
    return Response(status_code=202)
