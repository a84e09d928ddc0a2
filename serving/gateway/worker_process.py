"""A process that works on asynchronous predictions and answers no requests."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from prometheus_client import start_http_server

from serving.gateway.metrics import REGISTRY
from serving.gateway.services import Services
from serving.gateway.settings import GatewaySettings

ALIVE_VARIABLE = "PHYTOFLOW_WORKER_ALIVE_FILE"
_BEAT_SECONDS = 2.0


def run_worker(settings: GatewaySettings) -> None:
    """Works until SIGTERM or SIGINT; a task in progress is given back to the queue by its lease.

    The file that ``PHYTOFLOW_WORKER_ALIVE_FILE`` names is touched again and again while the process is well.
    """
    asyncio.run(_run(settings))


async def _run(settings: GatewaySettings) -> None:
    services, stopped = Services.of(settings), asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await services.open()
    if settings.tasks.worker_metrics:
        host, _, port = settings.tasks.worker_metrics.rpartition(":")
        start_http_server(int(port), host.strip("[]"), REGISTRY)
    while not stopped.is_set():
        if file := os.environ.get(ALIVE_VARIABLE):
            Path(file).touch()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_BEAT_SECONDS):
                await stopped.wait()
    await services.close()
