"""The History page: one's own predictions, and each one's page with its feedback."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response

from serving.gateway.api.dependencies import ServicesOf
from serving.gateway.console.forms import read_form
from serving.gateway.console.view import View
from serving.gateway.log import queries
from serving.gateway.log.text import PrintableText
from serving.gateway.problems import ProblemError

router = APIRouter(include_in_schema=False)
_PAGE = 24
PredictionId = Annotated[str, Path(pattern="^[0-9a-f]{32}$")]
_KNOWN = {"yes": True, "no": False}
_REVIEWS = ("none", "pending", "agreed", "accepted", "rejected")


@router.get("/history")
async def history(
    request: Request,
    services: ServicesOf,
    label: Annotated[PrintableText, Query(max_length=255)] = "",
    known: str = "",
    review: str = "",
    before: Annotated[str, Query(pattern="^([0-9a-f]{32})?$")] = "",
) -> Response:
    """Predictions, newest first, with filters."""
    view = View(request, services)
    filters = queries.Filters(
        user_id=view.user.principal.user_id,
        label=label or None,
        known=_KNOWN.get(known),
        review=review if review in _REVIEWS else None,
        before=before or None,
    )
    await services.log.flush()
    rows = await queries.list_predictions(services.database, filters, _PAGE + 1)
    chosen = {"label": label, "known": known, "review": review}
    return view.render(
        "history.html",
        rows=rows[:_PAGE],
        next=rows[_PAGE - 1].id if len(rows) > _PAGE else None,
        chosen=chosen,
        labels=await queries.labels_of(services.database, view.user.principal.user_id),
        reviews=_REVIEWS,
    )


@router.get("/predictions/{prediction_id}")
async def prediction(request: Request, services: ServicesOf, prediction_id: PredictionId) -> Response:
    """One prediction."""
    view = View(request, services)
    row = await services.prediction_for(view.user.principal, prediction_id)
    statements = await services.feedback.statements(row.id)
    info = await services.fleet.champion.info()
    has_photo = await services.photos.read(row.photo_sha256) is not None
    return view.render(
        "prediction.html", row=row, statements=statements, classes=info.classes, has_photo=has_photo
    )


@router.get("/predictions/{prediction_id}/photo")
async def photo(request: Request, services: ServicesOf, prediction_id: PredictionId) -> Response:
    """The photo of a prediction, without metadata."""
    row = await services.prediction_for(View(request, services).user.principal, prediction_id)
    stored = await services.photos.read(row.photo_sha256)
    if stored is None:
        raise ProblemError(404, "no_photo", "the photo of this prediction was not stored")
    content, suffix = stored
    media_type = "image/jpeg" if suffix == ".jpg" else "image/png"
    return Response(content, media_type=media_type, headers={"Cache-Control": "private, max-age=3600"})


@router.post("/predictions/{prediction_id}/feedback")
async def feedback(request: Request, services: ServicesOf, prediction_id: PredictionId) -> Response:
    """Takes what the user says of a prediction."""
    view, form = View(request, services), await read_form(request)
    view.require_csrf(form)
    principal = view.user.principal
    principal.require("feedback")
    verdict = form.get("verdict", "")
    if verdict not in ("right", "label", "cannot_tell"):
        raise ProblemError(400, "malformed", "no verdict")
    row = await services.prediction_for(principal, prediction_id)
    info = await services.fleet.champion.info()
    label = form.get("other", "").strip() or form.get("label", "")
    row = await services.feedback.state(row, principal, verdict, label, classes=info.classes)  # type: ignore[arg-type]
    if view.is_fragment:
        return view.render("feedback_thanks.html", row=row, verdict=verdict)
    return Response(status_code=303, headers={"Location": f"/predictions/{row.id}"})
