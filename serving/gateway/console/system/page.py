"""The System page: health, figures, and the dashboards that Grafana draws, too."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from phytoflow.dashboards.catalogue import DASHBOARDS
from serving.gateway.api.dependencies import ServicesOf
from serving.gateway.api.service import check_health
from serving.gateway.console.system.figures import read_figures
from serving.gateway.console.system.panels import DrawnPanel, draw_dashboard
from serving.gateway.console.view import View
from serving.gateway.services import Services

router = APIRouter(include_in_schema=False)
HOURS = (1, 6, 24, 168)
_BOARDS = {dashboard.uid: dashboard for dashboard in DASHBOARDS}
_FIRST = DASHBOARDS[0].uid


@router.get("/system")
async def system(
    request: Request,
    services: ServicesOf,
    board: Annotated[str, Query(max_length=64)] = _FIRST,
    hours: Annotated[int, Query(ge=1, le=168)] = HOURS[0],
) -> Response:
    """Health and figures; a dashboard for reviewers and administrators."""
    view = View(request, services)
    may_see = bool({"review", "admin"} & view.user.principal.scopes)
    health, figures, panels = await asyncio.gather(
        check_health(services), read_figures(services), _panels(services, board, hours, may_see=may_see)
    )
    return view.render(
        "system.html",
        health=health,
        figures=figures,
        boards=DASHBOARDS if may_see and services.settings.prometheus_url else (),
        board=_BOARDS.get(board, DASHBOARDS[0]),
        panels=panels,
        hours=hours,
        ranges=HOURS,
    )


async def _panels(services: Services, board: str, hours: int, *, may_see: bool) -> list[DrawnPanel]:
    url = services.settings.prometheus_url
    if not url or not may_see:
        return []
    return await draw_dashboard(url, _BOARDS.get(board, DASHBOARDS[0]), hours)
