"""Names of all series that gateway, worker and predictor export."""

from __future__ import annotations

from functools import cache

import prometheus_client

from phytoflow.watch.metrics import REGISTRY as WATCH_REGISTRY
from serving.gateway.metrics import REGISTRY
from serving.predictor.observability import metrics

_BY_PROMETHEUS = {"up"}
_SUFFIXES = {
    "histogram": ("_bucket", "_sum", "_count"),
    "counter": ("_total",),
    "info": ("_info",),
}


@cache
def exported_names() -> frozenset[str]:
    """As Prometheus stores them: a histogram has three series."""
    assert metrics.REGISTRY is prometheus_client.REGISTRY
    families = [*REGISTRY.collect(), *metrics.REGISTRY.collect(), *WATCH_REGISTRY.collect()]
    return frozenset(_BY_PROMETHEUS) | {
        family.name + suffix for family in families for suffix in _SUFFIXES.get(family.type, ("",))
    }
