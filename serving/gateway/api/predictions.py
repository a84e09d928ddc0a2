"""GET /v1/predictions, /v1/predictions/{id} and its photo."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from serving.gateway.answers.build import stored_prediction
from serving.gateway.answers.schemas import PredictionPage, StoredPrediction
from serving.gateway.api.dependencies import Caller, ServicesOf
from serving.gateway.api.openapi import problems
from serving.gateway.log import queries
from serving.gateway.log.text import PrintableText
from serving.gateway.problems import ProblemError

router = APIRouter(tags=["predictions"])
PredictionId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
_MEDIA_TYPES = {".jpg": "image/jpeg", ".png": "image/png"}


@router.get("/predictions", responses=problems())
async def list_predictions(
    caller: Caller,
    services: ServicesOf,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[
        str | None, Query(pattern="^[0-9a-f]{32}$", description="`next` of the last page.")
    ] = None,
    label: Annotated[PrintableText | None, Query(max_length=255)] = None,
    known: bool | None = None,
) -> PredictionPage:
    """One's own predictions, newest first."""
    filters = queries.Filters(user_id=caller.user_id, label=label, known=known, before=before)
    rows = await queries.list_predictions(services.database, filters, limit + 1)
    page = [stored_prediction(row) for row in rows[:limit]]
    return PredictionPage(predictions=page, next=page[-1].id if len(rows) > limit else None)


@router.get("/predictions/{prediction_id}", responses=problems(404))
async def get_prediction(
    prediction_id: PredictionId, caller: Caller, services: ServicesOf
) -> StoredPrediction:
    """One of one's own predictions; reviewers see all."""
    return stored_prediction(await services.prediction_for(caller, prediction_id))


@router.get(
    "/predictions/{prediction_id}/photo",
    response_class=Response,
    responses=problems(404) | {200: {"content": {"image/jpeg": {}, "image/png": {}}}},
)
async def get_photo(prediction_id: PredictionId, caller: Caller, services: ServicesOf) -> Response:
    """The photo of a prediction, without metadata, if it was stored."""
    row = await services.prediction_for(caller, prediction_id)
    stored = await services.photos.read(row.photo_sha256)
    if stored is None:
        raise ProblemError(404, "no_photo", "the photo of this prediction was not stored")
    content, suffix = stored
    headers = {
        "Cache-Control": "private, max-age=3600",
        "Content-Disposition": f"inline; filename=photo{suffix}",
    }
    return Response(content, media_type=_MEDIA_TYPES[suffix], headers=headers)
