"""POST /v1/feedback, the review queue, and the accepted photos."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from serving.gateway.answers.build import stored_prediction
from serving.gateway.answers.schemas import StoredPrediction
from serving.gateway.api.dependencies import Caller, ServicesOf
from serving.gateway.api.openapi import problems
from serving.gateway.api.predictions import PredictionId
from serving.gateway.log import queries
from serving.gateway.log.text import PrintableText

router = APIRouter(tags=["feedback"])
_PAGE = 500


class FeedbackRequest(BaseModel, extra="forbid"):
    """What the caller says of a prediction."""

    prediction_id: str = Field(pattern="^[0-9a-f]{32}$")
    verdict: Literal["right", "label", "cannot_tell"]
    label: PrintableText | None = Field(
        None, max_length=255, description="The class it is, with the verdict `label`."
    )
    comment: PrintableText = Field("", max_length=500)


class DecisionRequest(BaseModel, extra="forbid"):
    """A reviewer's decision."""

    label: PrintableText | None = Field(
        description="The accepted class; null rejects the photo.", min_length=1, max_length=255
    )


class QueueItem(StoredPrediction):
    """A prediction that waits for a reviewer."""

    statements: list[str | None] = Field(description="Classes that people named; null: cannot tell.")


@router.post("/feedback", responses=problems(400, 404, 409))
async def give_feedback(body: FeedbackRequest, caller: Caller, services: ServicesOf) -> StoredPrediction:
    """Says whether a prediction is right, and if not, what it is."""
    caller.require("feedback")
    row = await services.prediction_for(caller, body.prediction_id)
    info = await services.fleet.champion.info()
    row = await services.feedback.state(
        row, caller, body.verdict, body.label, comment=body.comment, classes=info.classes
    )
    return stored_prediction(row)


@router.get("/review", responses=problems())
async def review_queue(
    caller: Caller, services: ServicesOf, limit: Annotated[int, Query(ge=1, le=200)] = 50
) -> list[QueueItem]:
    """Predictions that wait for a decision, disputed ones first."""
    caller.require("review")
    items = []
    for row in await services.feedback.queue(caller, limit):
        blind = row.blind == "asked"
        said = [] if blind else [s.label for s in await services.feedback.statements(row.id)]
        hidden = {"corrected_label": None, "review": "none"} if blind else {}
        items.append(QueueItem(**stored_prediction(row).model_dump() | hidden, statements=said))
    return items


@router.post("/review/{prediction_id}", responses=problems(400, 404, 409))
async def decide(
    prediction_id: PredictionId, body: DecisionRequest, caller: Caller, services: ServicesOf
) -> StoredPrediction:
    """Accepts a class for a prediction, or rejects it."""
    caller.require("review")
    classes = (await services.fleet.champion.info()).classes
    return stored_prediction(await services.feedback.decide(prediction_id, caller, body.label, classes))


@router.get(
    "/feedback/accepted",
    response_class=StreamingResponse,
    responses=problems() | {200: {"content": {"application/x-ndjson": {}}}},
)
async def accepted(caller: Caller, services: ServicesOf) -> StreamingResponse:
    """All accepted predictions, one JSON object a line, oldest first: what `phytoflow data collect` reads."""
    caller.require("review")
    await services.log.flush()

    async def lines() -> AsyncIterator[bytes]:
        after = ""
        while rows := await queries.accepted_after(services.database, after, _PAGE):
            for row in rows:
                fields = stored_prediction(row).model_dump(mode="json")
                fields |= {"user": row.user_id[:12], "photo_sha256": row.photo_sha256}
                yield orjson.dumps(fields) + b"\n"
            after = rows[-1].id

    return StreamingResponse(lines(), media_type="application/x-ndjson")
