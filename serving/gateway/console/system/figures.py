"""Figures of the last five minutes on the System page."""

from __future__ import annotations

import asyncio
from typing import Any

import aiohttp
from prometheus_client import Histogram

from serving.gateway import metrics
from serving.gateway.services import Services

_TIMEOUT = aiohttp.ClientTimeout(total=3)
_RATE = "sum(rate(gateway_requests_total[5m]))"
_QUERIES = {
    "replicas": 'count(up{job=~".*gateway.*"} == 1)',
    "requests_per_second": _RATE,
    "error_share": f'sum(rate(gateway_requests_total{{status=~"5.."}}[5m])) / {_RATE}',
    "p50": "histogram_quantile(0.5, sum by (le) (rate(gateway_request_duration_seconds_bucket[5m])))",
    "p99": "histogram_quantile(0.99, sum by (le) (rate(gateway_request_duration_seconds_bucket[5m])))",
    "tasks_waiting": "max(gateway_tasks_waiting)",
}


async def read_figures(services: Services) -> dict[str, Any]:
    """Figures of all replicas from Prometheus; of this one alone without it."""
    if url := services.settings.prometheus_url:
        async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
            values = await asyncio.gather(*(_query(session, url, query) for query in _QUERIES.values()))
        if any(value is not None for value in values):
            return {"source": "Prometheus"} | dict(zip(_QUERIES, values, strict=True))
    depth = await services.tasks.depth()
    return {
        "source": "",
        "replicas": None,
        "requests_per_second": None,
        "error_share": _error_share(),
        "p50": _quantile(metrics.REQUEST_SECONDS, 0.5),
        "p99": _quantile(metrics.REQUEST_SECONDS, 0.99),
        "tasks_waiting": depth.waiting,
    }


async def _query(session: aiohttp.ClientSession, url: str, query: str) -> float | None:
    try:
        async with session.get(f"{url.rstrip('/')}/api/v1/query", params={"query": query}) as response:
            (sample,) = (await response.json())["data"]["result"]
            return float(sample["value"][1])
    except (aiohttp.ClientError, TimeoutError, KeyError, ValueError, TypeError):
        return None


def _error_share() -> float | None:
    total = errors = 0.0
    for metric in metrics.REQUESTS.collect():
        for sample in metric.samples:
            if sample.name.endswith("_total"):
                total += sample.value
                errors += sample.value * sample.labels["status"].startswith("5")
    return errors / total if total else None


def _quantile(histogram: Histogram, share: float) -> float | None:
    """The upper bound of the bucket in which the quantile lies."""
    buckets: dict[float, float] = {}
    for metric in histogram.collect():
        for sample in metric.samples:
            if sample.name.endswith("_bucket"):
                bound = float(sample.labels["le"])
                buckets[bound] = buckets.get(bound, 0) + sample.value
    total = max(buckets.values(), default=0)
    return next((bound for bound in sorted(buckets) if total and buckets[bound] >= share * total), None)
