"""Prometheus metrics of ``phytoflow watch``."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

REGISTRY = CollectorRegistry()
EVENTS = Counter(
    "watch_events_total",
    "Trainings, rollouts and deployments that ended.",
    ["action", "state"],
    registry=REGISTRY,
)
WAITING = Gauge("watch_events_waiting", "Events that a limit holds back.", registry=REGISTRY)

# rate() needs a value before the first event.
for _action in ("train", "rollout", "deploy"):
    for _state in ("succeeded", "refused", "failed"):
        EVENTS.labels(_action, _state)


def serve_metrics(address: str) -> None:
    """Serves /metrics at HOST:PORT from a thread, until the process ends."""
    host, _, port = address.rpartition(":")
    start_http_server(int(port), host.strip("[]"), REGISTRY)
