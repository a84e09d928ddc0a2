"""Runs the application with uvicorn; requests in progress are answered before it ends."""

from __future__ import annotations

import asyncio
import signal
import socket
from types import FrameType
from typing import Any

import uvicorn

from phytoflow.errors import ServingError
from serving.gateway.app import create_app
from serving.gateway.settings import GatewaySettings

_BACKLOG = 2048  # connections that wait to be accepted
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

    Raises:
        ServingError: The address or the port cannot be used.
    """
    listening = _listen(settings.server.host, settings.server.port)
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
    _DrainingServer(config, drain).run([listening])


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. ``::`` takes IPv4 connections, too, which uvicorn's own socket would not."""
    both = host == "::" and socket.has_dualstack_ipv6()
    if host == "::" and not both:
        host = "0.0.0.0"  # a machine without IPv6
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=_BACKLOG, dualstack_ipv6=both)
    except OSError as error:
        what = f"cannot listen on {host} port {port}: {error.strerror or error}"
        raise ServingError(what, remedy="choose another server.host or server.port") from error
