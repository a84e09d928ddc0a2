"""The Runs page: the newest trainings, and two to four of them side by side."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from markupsafe import Markup

from phytoflow.errors import PhytoflowError
from phytoflow.tracking.compare.comparison import PHOTO_TIME, TRAINING_TIME, RunComparison, compare_runs
from phytoflow.tracking.compare.text import format_value
from phytoflow.tracking.rest.server import MlflowServer
from phytoflow.tracking.runs import RunRecord
from serving.gateway.api.dependencies import ServicesOf
from serving.gateway.console.runs.curves import draw_curve
from serving.gateway.console.view import View
from serving.gateway.settings import RunsSettings

router = APIRouter(include_in_schema=False)
LISTED = 20
LEAST, MOST = 2, 4  # runs side by side
RunId = Annotated[str, Query(pattern="^[0-9a-zA-Z_-]{1,64}$")]
STATES = ("running", "scheduled", "failed", "killed")
"""MLflow's states of a run that is not finished."""
COLUMNS = ("Macro-F1", TRAINING_TIME, PHOTO_TIME)
"""Figures in the list of runs."""


@dataclass
class _Shown:
    """What MLflow has to show; without it, why."""

    newest: list[RunRecord] = field(default_factory=list)
    roles: dict[str, list[str]] = field(default_factory=dict)
    comparison: RunComparison | None = None
    problem: str = ""


@router.get("/runs")
async def runs(
    request: Request,
    services: ServicesOf,
    run: Annotated[list[RunId] | None, Query(max_length=100)] = None,
) -> Response:
    """The newest runs, and those that were chosen side by side."""
    view = View(request, services)
    view.user.principal.require("review")
    chosen = list(dict.fromkeys(run or []))
    fits = not chosen or LEAST <= len(chosen) <= MOST
    settings = services.settings.runs
    shown = await _read(settings, chosen if fits else [])
    return _render(view, shown, chosen, configured=bool(settings.mlflow_url), fits=fits)


def _render(view: View, shown: _Shown, chosen: list[str], *, configured: bool, fits: bool) -> Response:
    return view.render(
        "runs.html",
        status=200 if fits else 400,
        configured=configured,
        fits=fits,
        chosen=chosen,
        newest=compare_runs(shown.newest),
        columns=COLUMNS,
        roles=shown.roles,
        problem=shown.problem,
        comparison=shown.comparison,
        charts=_charts(shown.comparison),
        format_value=format_value,
    )


async def _read(settings: RunsSettings, chosen: list[str]) -> _Shown:
    shown = _Shown()
    if not settings.mlflow_url:
        return shown
    server = MlflowServer(settings.mlflow_url, settings.experiment, settings.registered_model)
    try:
        shown.newest, shown.roles = await asyncio.gather(server.newest_runs(LISTED), server.roles())
        if chosen:
            shown.comparison = compare_runs(await server.read_runs(chosen))
    except PhytoflowError as error:
        shown.problem = error.message
    return shown


def _charts(comparison: RunComparison | None) -> list[tuple[str, Markup, list[int]]]:
    """Name and chart of each curve, and the runs that have it."""
    if comparison is None:
        return []
    return [
        (
            name,
            draw_curve(name, comparison.runs),
            [n for n, run in enumerate(comparison.runs) if name in run.curves],
        )
        for name in comparison.curves
    ]
