"""Prometheus metrics of ``phytoflow watch``, and the probes of its pod."""

from __future__ import annotations

import time
from collections.abc import Callable

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.aiohttp import make_aiohttp_handler

REGISTRY = CollectorRegistry()
EVENTS = Counter(
    "watch_events_total",
    "Trainings, rollouts and deployments that ended.",
    ["action", "state"],
    registry=REGISTRY,
)
WAITING = Gauge("watch_events_waiting", "Events that a limit holds back.", registry=REGISTRY)
_LOOK_SECONDS = 900.0  # a look that takes longer hangs: a long listing of an object store takes minutes

# rate() needs a value before the first event.
for _action in ("train", "rollout", "deploy"):
    for _state in ("succeeded", "refused", "failed"):
        EVENTS.labels(_action, _state)


def build_status(
    last_look: Callable[[], float | None], pause: float, clock: Callable[[], float] = time.monotonic
) -> web.Application:
    """Serves ``/metrics``, and ``/livez`` and ``/readyz`` with status 200 or 503.

    A watcher is ready once it looks at its triggers; before, it waits for the end of another one. It is alive
    unless a look hangs.

    Args:
        last_look: When the triggers were looked at last, by ``clock``; None: not yet.
        pause: Seconds between two looks.
        clock: Seconds, monotonic.
    """

    async def livez(_: web.Request) -> web.Response:
        looked = last_look()
        alive = looked is None or clock() - looked < pause + _LOOK_SECONDS
        return web.Response(status=200 if alive else 503)

    async def readyz(_: web.Request) -> web.Response:
        return web.Response(status=503 if last_look() is None else 200)

    application = web.Application()
    application.router.add_get("/metrics", make_aiohttp_handler(REGISTRY))
    application.router.add_get("/livez", livez)
    application.router.add_get("/readyz", readyz)
    return application
