"""Draws a dashboard's panels from Prometheus' range queries."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import aiohttp
from markupsafe import Markup

from phytoflow.dashboards.panel import Dashboard, Panel, Query, Unit
from serving.gateway.console import charts

_TIMEOUT = aiohttp.ClientTimeout(total=10)
_POINTS = 30
_LEAST_RATE_SECONDS = 60  # four scrapes at Prometheus' usual interval of 15 s
_DAY_SECONDS = 86400


@dataclass(frozen=True)
class DrawnPanel:
    """A panel as the page shows it.

    Attributes:
        panel: What it is.
        unit: Unit of the drawn values; empty for plain numbers.
        svg: The chart; None without data.
        series: For the legend.
        left_out: Number of series that are not drawn.
    """

    panel: Panel
    unit: str
    svg: Markup | None
    series: tuple[charts.Series, ...]
    left_out: int


async def draw_dashboard(url: str, dashboard: Dashboard, hours: int) -> list[DrawnPanel]:
    """Draws every panel over the last hours; without data if Prometheus does not answer.

    Args:
        url: Prometheus.
        dashboard: Whose panels.
        hours: Length of the range, up to now.
    """
    step = hours * 3600 / _POINTS
    end = math.floor(time.time())
    times = [end - step * (_POINTS - 1 - n) for n in range(_POINTS)]
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        return list(
            await asyncio.gather(
                *(_draw(session, url.rstrip("/"), panel, times, step) for panel in dashboard.panels)
            )
        )


async def _draw(
    session: aiohttp.ClientSession, url: str, panel: Panel, times: Sequence[float], step: float
) -> DrawnPanel:
    answers = await asyncio.gather(*(_query(session, url, query, times, step) for query in panel.queries))
    series = [one for answer in answers for one in answer]
    series.sort(key=lambda one: -max((value for value in one.values if value is not None), default=0))
    series, left_out = series[: charts.SERIES], max(0, len(series) - charts.SERIES)
    largest = max((value for one in series for value in one.values if value is not None), default=0.0)
    factor, unit = _scale(panel.unit, largest)
    scaled = tuple(
        charts.Series(one.name, [None if value is None else value * factor for value in one.values])
        for one in series
    )
    top = None if panel.maximum is None else panel.maximum * factor
    moments = [datetime.fromtimestamp(moment, UTC) for moment in times]
    svg = charts.lines(panel.title, moments, scaled, top) if scaled else None
    return DrawnPanel(panel, unit, svg, scaled, left_out)


async def _query(
    session: aiohttp.ClientSession, url: str, query: Query, times: Sequence[float], step: float
) -> list[charts.Series]:
    """Series with at least one value; none if Prometheus does not answer."""
    rate_interval = f"{max(_LEAST_RATE_SECONDS, math.ceil(step))}s"
    expression = query.substitute({"namespace": ".*", "__rate_interval": rate_interval})
    parameters = {"query": expression, "start": str(times[0]), "end": str(times[-1]), "step": str(step)}
    try:
        async with session.get(f"{url}/api/v1/query_range", params=parameters) as response:
            result = (await response.json())["data"]["result"]
        series = [_series(query, one, times, step) for one in result]
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError, TypeError):
        return []
    return [one for one in series if any(value is not None for value in one.values)]


def _series(query: Query, result: dict[str, Any], times: Sequence[float], step: float) -> charts.Series:
    name = query.legend
    for label, text in result["metric"].items():
        name = name.replace("{{" + label + "}}", text)
    values: list[float | None] = [None] * len(times)
    for moment, text in result["values"]:
        value = float(text)
        if math.isfinite(value):
            values[round((moment - times[0]) / step)] = value
    return charts.Series(name, values)


def _scale(unit: Unit, largest: float) -> tuple[float, str]:
    """Factor and name of the unit in which values up to the largest are easy to read."""
    match unit:
        case "percentunit":
            return 100, "%"
        case "bytes":
            return (2**-30, "GiB") if largest >= 2**31 else (2**-20, "MiB")
        case "s" if largest >= 2 * _DAY_SECONDS:
            return 1 / _DAY_SECONDS, "d"
        case "s":
            return (1000, "ms") if largest < 1 else (1, "s")
        case "reqps":
            return 1, "1/s"
        case "short":
            return 1, ""
