"""The Model page: which model answers, how good it is, and what it must not be used for."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import orjson
from fastapi import APIRouter, Request, Response
from markdown_it import MarkdownIt
from markupsafe import Markup

from phytoflow.errors import StorageError
from phytoflow.storage.uri import join, read_bytes
from serving.gateway.api.dependencies import ServicesOf
from serving.gateway.console.rollout.section import read_section
from serving.gateway.console.view import View
from serving.gateway.log import analytics
from serving.gateway.problems import ProblemError
from serving.gateway.services import Services
from serving.gateway.upstream.predictor import Predictor

router = APIRouter(include_in_schema=False)
Role = Literal["champion", "challenger"]
_COMPARED = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "ece": "calibration error (ECE)",
    "mean_latency_ms": "latency, ms",
}
# A report is one file with its own styles; it may not run scripts, load anything, or act as this site.
_REPORT_POLICY = (
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'"
)


@router.get("/model")
async def model(request: Request, services: ServicesOf) -> Response:
    """The models behind the gateway."""
    view = View(request, services)
    assert view.user
    now = datetime.now(UTC)
    seen = await analytics.versions(services.database, analytics.Range(now - timedelta(days=365), now))
    models = [await _describe(services, role) for role in _roles(services)]
    section = await read_section(view)
    return view.render("model.html", models=models, versions=seen, compared=_COMPARED, section=section)


@router.get("/model/{role}/report")
async def report(request: Request, services: ServicesOf, role: Role) -> Response:
    """The report that was written when the model was trained."""
    assert View(request, services).user
    content = await _document(services, role, "report.html")
    if content is None:
        raise ProblemError(404, "no_report", "the bundle of this model has no report at hand")
    return Response(content, media_type="text/html", headers={"Content-Security-Policy": _REPORT_POLICY})


def _roles(services: Services) -> list[Role]:
    return ["champion", *(["challenger"] if services.fleet.challenger else [])]  # type: ignore[list-item]


async def _describe(services: Services, role: Role) -> dict[str, Any]:
    predictor: Predictor | None = getattr(services.fleet, role)
    assert predictor is not None
    try:
        info = await predictor.info()
    except ProblemError as error:
        return {
            "role": role,
            "info": None,
            "problem": error.detail,
            "metrics": None,
            "card": None,
            "report": False,
        }
    metrics = await _document(services, role, "metrics.json")
    card = await _document(services, role, "model_card.md")
    has_report = metrics is not None
    return {
        "role": role,
        "info": info,
        "problem": "",
        "metrics": orjson.loads(metrics) if metrics else None,
        "card": _markdown(card.decode("utf-8", "replace")) if card else None,
        "report": has_report,
    }


async def _document(services: Services, role: Role, name: str) -> bytes | None:
    """A file of the bundle; None if no bundle is named or it lacks the file."""
    uri = getattr(services.settings.upstream, f"{role}_bundle")
    if not uri:
        return None
    try:
        return await asyncio.to_thread(read_bytes, join(uri, name))
    except StorageError:
        return None


def _markdown(text: str) -> Markup:
    return Markup(MarkdownIt("js-default", {"html": False, "linkify": False}).render(text))
