"""Runs every panel's queries against a Prometheus."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import httpx

from phytoflow.dashboards.panel import Dashboard

_TRIES = 3  # the fastest counts: another process may have the CPU


@dataclass(frozen=True)
class Row:
    """Outcome of one query.

    Attributes:
        series: How many series it returned.
        milliseconds: Time of the query in Prometheus and over HTTP, the fastest of three.
        unknown: Metric names that Prometheus has never seen.
    """

    dashboard: str
    panel: str
    expression: str
    series: int
    milliseconds: float
    unknown: frozenset[str]


def run_queries(url: str, dashboards: Sequence[Dashboard], rate_interval: str) -> list[Row]:
    """Queries the last five minutes, as a panel does.

    Args:
        url: Prometheus.
        dashboards: Whose panels.
        rate_interval: Value of Grafana's variable ``$__rate_interval``: four scrape intervals.
    """
    variables = {"namespace": ".*", "__rate_interval": rate_interval}
    with httpx.Client(base_url=url, timeout=30) as client:
        known = set(client.get("/api/v1/label/__name__/values").json()["data"])
        return [
            _run(client, dashboard, panel.title, query.substitute(variables), query.metrics - known)
            for dashboard in dashboards
            for panel in dashboard.panels
            for query in panel.queries
        ]


def _run(client: httpx.Client, dashboard: Dashboard, panel: str, expression: str, unknown: set[str]) -> Row:
    end = time.time()
    parameters = {"query": expression, "start": str(end - 300), "end": str(end), "step": "5"}
    taken = []
    for _ in range(_TRIES):
        started = time.perf_counter()
        answer = client.get("/api/v1/query_range", params=parameters)
        taken.append((time.perf_counter() - started) * 1000)
        answer.raise_for_status()
    series = len(answer.json()["data"]["result"])
    return Row(dashboard.uid, panel, expression, series, min(taken), frozenset(unknown))
