"""Runs the application with uvicorn; requests in progress are answered before it ends."""

from __future__ import annotations

import asyncio
import signal
from types import FrameType
from typing import Any

import uvicorn

from serving.gateway.app import create_app
from serving.gateway.settings import GatewaySettings

_DRAIN_SECONDS = 3.0  # a load balancer needs to see that the replica is not ready before it stops listening


class _DrainingServer(uvicorn.Server):
    """Not ready from the first signal on, yet listening for some seconds more."""

    def __init__(self, config: uvicorn.Config, drain: float) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """A second signal, or Ctrl-C, ends at once."""
        application: Any = self.config.app
        services = getattr(application.state, "services", None)
        if services is None or services.draining or sig == signal.SIGINT or not self._drain:
            super().handle_exit(sig, frame)
            return
        services.draining = True
        asyncio.get_running_loop().call_later(self._drain, super().handle_exit, sig, frame)


def serve(settings: GatewaySettings, *, drain: float = _DRAIN_SECONDS) -> None:
    """Serves until stopped.

    Args:
        settings: Everything the gateway needs to know.
        drain: Seconds between a SIGTERM and the end of listening.
    """
    config = uvicorn.Config(
        create_app(settings),
        host=settings.server.host,
        port=settings.server.port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=settings.server.grace_period_seconds,
        log_config=None,
    )
    # At its end uvicorn raises the signal again that ended it; an orderly end is exit code 0.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    _DrainingServer(config, drain).run()
