"""The Review page: one photo at a time, disputed ones first, by keyboard."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from serving.gateway.api.dependencies import ServicesOf
from serving.gateway.console.forms import read_form
from serving.gateway.console.view import View
from serving.gateway.problems import ProblemError

router = APIRouter(include_in_schema=False)
PredictionId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
_LOOK_AHEAD = 100


@router.get("/review")
async def review(
    request: Request,
    services: ServicesOf,
    skip: Annotated[int, Query(ge=0, le=_LOOK_AHEAD)] = 0,
) -> Response:
    """The next photo that waits for a decision."""
    view = View(request, services)
    principal = view.user.principal
    principal.require("review")
    waiting = await services.feedback.queue(principal, _LOOK_AHEAD)
    row = waiting[skip] if skip < len(waiting) else None
    statements = []
    if row is not None and row.blind != "asked":
        statements = list(await services.feedback.statements(row.id))
    info = await services.fleet.champion.info()
    has_photo = row is not None and await services.photos.read(row.photo_sha256) is not None
    return view.render(
        "review.html",
        row=row,
        statements=statements,
        classes=info.classes,
        waiting=len(waiting),
        skip=skip,
        has_photo=has_photo,
    )


@router.post("/review/{prediction_id}")
async def decide(request: Request, services: ServicesOf, prediction_id: PredictionId) -> Response:
    """Takes a decision and goes on to the next photo."""
    view, form = View(request, services), await read_form(request)
    view.require_csrf(form)
    principal = view.user.principal
    principal.require("review")
    row = await services.prediction_for(principal, prediction_id)
    label = form.get("other", "").strip() or form.get("label", "")
    match form.get("decision"):
        case "accept" if label and row.blind == "asked":
            await services.feedback.state(row, principal, "label", label)
        case "accept" if label:
            await services.feedback.decide(prediction_id, principal, label)
        case "reject":
            await services.feedback.decide(prediction_id, principal, None)
        case _:
            raise ProblemError(400, "malformed", "choose a class, or reject the photo")
    return Response(status_code=303, headers={"Location": "/review"})
