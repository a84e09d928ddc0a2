"""The Drift page: whether photos are still those that the model was made for, and what that costs."""

from __future__ import annotations

import asyncio
import math
import mimetypes
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup

from phytoflow.bundle.bundle import MANIFEST
from phytoflow.bundle.manifest import BundleManifest
from phytoflow.errors import StorageError
from phytoflow.storage.uri import join, read_bytes
from serving.gateway.api.dependencies import ServicesOf
from serving.gateway.console import charts
from serving.gateway.console.view import View
from serving.gateway.problems import ProblemError
from serving.gateway.services import Services

router = APIRouter(include_in_schema=False)
RANGES = (1, 7, 30)
_Found = tuple[Any, Sequence[Any], Sequence[Any], dict[str, Any]]  # assessment, hours, events, words
_HIGHEST = 6  # powers of ten of the wealth that the chart shows


@router.get("/drift")
async def drift(
    request: Request, services: ServicesOf, days: Annotated[int, Query(ge=1, le=30)] = 7
) -> Response:
    """Grade, estimated accuracy, what moved, example photos, and the time before."""
    view = View(request, services)
    view.user.principal.require("review")
    nothing: _Found = (None, [], [], {})
    watched = services.settings.watches_drift
    result, hours, events, words = await _read(view, services, days) if watched else nothing
    return view.render(
        "drift.html",
        watched=watched,
        days=days,
        ranges=RANGES,
        result=result,
        probes=len(await _probes(services)) if result and result.attribution else 0,
        events=events,
        charts=_charts(view, hours),
        grades=words.get("grades", {}),
        what=words.get("what", {}),
        accuracy=words.get("accuracy", ""),
    )


@router.get("/drift/probes/{number}")
async def probe(request: Request, services: ServicesOf, number: int) -> Response:
    """A photo of the bundle: what the model was made for."""
    View(request, services).user.principal.require("review")
    files = await _probes(services)
    if not 0 <= number < len(files):
        raise ProblemError(404, "no_such_photo", "the bundle has no such photo")
    uri = join(services.settings.upstream.champion_bundle, files[number])
    content = await asyncio.to_thread(read_bytes, uri)
    headers = {"Cache-Control": "private, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(content, media_type=_media_type(files[number]), headers=headers)


async def _probes(services: Services) -> list[str]:
    """Files of the bundle's probe photos; none if the bundle cannot be read."""
    uri = services.settings.upstream.champion_bundle
    if not uri:
        return []
    try:
        manifest = BundleManifest.model_validate_json(
            await asyncio.to_thread(read_bytes, join(uri, MANIFEST))
        )
    except (StorageError, ValueError):
        return []
    return [one.file for one in manifest.probes]


def _media_type(file: str) -> str:
    return mimetypes.guess_type(file)[0] or "application/octet-stream"


async def _read(view: View, services: Services, days: int) -> _Found:
    # They need scipy, which a gateway that watches no drift does not load.
    from phytoflow.monitoring.sentences import GRADES, accuracy_sentence, value_words
    from serving.gateway.drift import tables

    states = await tables.read_states(services.database)
    events = await tables.read_events(services.database)
    result = states[0].assessment if states else None
    if result is None:
        return None, [], events, {"grades": GRADES}
    hours = await tables.read_hours(services.database, states[0].version, days)
    translate = view.translate
    accuracy = accuracy_sentence(result.accuracy, translate)
    words = {"grades": GRADES, "what": value_words(translate), "accuracy": accuracy}
    return result, hours, events, words


def _charts(
    view: View, hours: Sequence[tuple[datetime, float, float | None]]
) -> list[tuple[str, Markup, list[charts.Series]]]:
    if not hours:
        return []
    _ = view.translate
    times = [hour for hour, _wealth, _accuracy in hours]
    powers = [max(0.0, math.log10(max(wealth, 1e-9))) for _hour, wealth, _accuracy in hours]
    wealth = [
        charts.Series(_("evidence of drift, power of ten"), powers),
        charts.Series(_("alarm"), [math.log10(200)] * len(times)),
    ]
    accuracy = [charts.Series(_("estimated accuracy"), [estimate for *_ignored, estimate in hours])]
    return [
        (_("Evidence of drift"), charts.lines(_("Evidence of drift"), times, wealth, top=_HIGHEST), wealth),
        (_("Estimated accuracy"), charts.lines(_("Estimated accuracy"), times, accuracy, top=1), accuracy),
    ]
