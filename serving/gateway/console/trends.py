"""The Trends page: what was seen, how sure the model was, how quick."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from serving.gateway.api.dependencies import ServicesOf
from serving.gateway.console import charts
from serving.gateway.console.view import View
from serving.gateway.log import analytics
from serving.gateway.log.text import PrintableText
from serving.gateway.sentences import readable

router = APIRouter(include_in_schema=False)
RANGES = {1: "hour", 7: "day", 30: "day", 365: "day"}


@router.get("/trends")
async def trends(
    request: Request,
    services: ServicesOf,
    days: Annotated[int, Query(ge=1, le=365)] = 30,
    model_version: Annotated[PrintableText, Query(max_length=64)] = "",
) -> Response:
    """Charts over a range of days."""
    view = View(request, services)
    view.user.principal.require("review")
    await services.log.flush()
    until = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    range_ = analytics.Range(until - timedelta(days=days), until, model_version or None)
    period: analytics.Period = "hour" if days == 1 else "day"
    classes = await analytics.counts_by_class(services.database, range_, period)
    latency = await analytics.latency_percentiles(services.database, range_, period)
    everything = analytics.Range(range_.since, range_.until)
    return view.render(
        "trends.html",
        days=days,
        ranges=list(RANGES),
        model_version=model_version,
        versions=[row["version"] for row in await analytics.versions(services.database, everything)],
        classes=classes,
        latency=latency,
        charts=_charts(view, classes, latency),
        query=f"since={range_.since:%Y-%m-%dT%H:%M:%SZ}&until={range_.until:%Y-%m-%dT%H:%M:%SZ}&period={period}",
    )


def _charts(
    view: View, classes: Sequence[dict[str, Any]], latency: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    _ = view.translate
    times = sorted({row["time"] for row in classes})
    by_class = _by_class(classes, times)
    totals = {time: [row for row in classes if row["time"] == time] for time in times}
    photos = [sum(row["photos"] for row in totals[time]) for time in times]
    confidence = [
        sum(row["mean_confidence"] * row["photos"] for row in totals[time]) / count
        for time, count in zip(times, photos, strict=True)
    ]
    unknown = [
        sum(row["unknown"] for row in totals[time]) / count for time, count in zip(times, photos, strict=True)
    ]
    sure = [
        charts.Series(_("mean confidence"), confidence),
        charts.Series(_("share of unknown photos"), unknown),
    ]
    speed = [charts.Series(name, [row[f"{name}_ms"] for row in latency]) for name in ("p50", "p99")]
    return [
        {
            "title": _("Photos by class"),
            "svg": charts.stacked_bars(_("Photos by class"), times, by_class),
            "series": by_class,
        },
        {
            "title": _("Confidence and unknown photos"),
            "svg": charts.lines(_("Confidence and unknown photos"), times, sure, top=1),
            "series": sure,
        },
        {
            "title": _("Time to answer, milliseconds"),
            "svg": charts.lines(_("Time to answer, milliseconds"), [row["time"] for row in latency], speed),
            "series": speed,
        },
    ]


def _by_class(classes: Sequence[dict[str, Any]], times: Sequence[datetime]) -> list[charts.Series]:
    """The most frequent classes, each a series; the others together."""
    counts: dict[str, dict[datetime, int]] = defaultdict(lambda: defaultdict(int))
    for row in classes:
        counts[row["label"]][row["time"]] += row["photos"]
    order = sorted(counts, key=lambda label: -sum(counts[label].values()))
    shown, rest = order[: charts.SERIES - 1], order[charts.SERIES - 1 :]
    series = [charts.Series(readable(label), [counts[label][time] for time in times]) for label in shown]
    if rest:
        summed = [sum(counts[label][time] for label in rest) for time in times]
        series.append(charts.Series("…", summed))
    return series
