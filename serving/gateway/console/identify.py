"""The Identify page: photos in, answers out, feedback in one click."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response

from serving.gateway.api.dependencies import ServicesOf
from serving.gateway.api.photos import read_photos
from serving.gateway.console.heat import heat_uri
from serving.gateway.console.view import View
from serving.gateway.prediction import Prediction, PredictOptions
from serving.gateway.problems import ProblemError, request_id_of
from serving.gateway.sentences import explain_answer

router = APIRouter(include_in_schema=False)
_MAX_EXPLAINED = 4  # photos of one request that the predictor explains


@router.get("/")
async def identify_page(request: Request, services: ServicesOf) -> Response:
    """The empty page."""
    view = View(request, services)
    quota = await services.limiter.quota(view.user.principal.user_id)
    return view.render("identify.html", results=[], problem=None, quota=quota)


@router.post("/identify")
async def identify(request: Request, services: ServicesOf) -> Response:
    """Answers photos: a whole page without scripts, one card with them."""
    view, server = View(request, services), services.settings.server
    principal = view.user.principal
    results, problem, quota = [], None, await services.limiter.quota(principal.user_id)
    try:
        found = await read_photos(
            request, max_photos=server.max_photos, max_photo_bytes=server.max_photo_bytes
        )
        view.require_csrf(found.options)
        principal.require("predict")
        quota = await services.limiter.take(principal.user_id, len(found.photos))
        explain = len(found.photos) <= _MAX_EXPLAINED
        predictions = await services.predictions.predict(
            found.photos,
            PredictOptions(explain=explain),
            principal,
            source="console",
            request_id=request_id_of(request),
            started=request.state.started,
        )
        results = [result_of(one, view) for one in predictions]
    except ProblemError as error:
        problem = error
    status = problem.status if problem else 200
    template = "identify_results.html" if view.is_fragment else "identify.html"
    return view.render(template, status=status, results=results, problem=problem, quota=quota)


def result_of(prediction: Prediction, view: View) -> dict[str, Any]:
    """What the card of an answer shows."""
    result, model = prediction.result, prediction.model
    top = zip(result.labels[:3], result.scores[:3], strict=True)
    return {
        "id": prediction.id,
        "file_name": prediction.photo.name,
        "label": result.labels[0],
        "known": result.known,
        "sentence": explain_answer(result, view.translate),
        "top": [{"label": label, "share": share} for label, share in top],
        "heat": heat_uri(result.explanation) if result.explanation else None,
        "model": model,
        "classes": model.classes,
    }
