"""kserve's ModelServer with a graceful shutdown.

kserve 0.21 drops its models as soon as it is told to stop, so that gRPC requests in progress end in "no such
model", and it goes on accepting gRPC requests while REST drains.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import partial
from socket import socket

import uvloop
from kserve import ModelServer
from kserve.errors import InvalidInput
from kserve.model_repository import ModelRepository
from kserve.protocol.grpc.server import GRPCServer

from serving.predictor.transport.rest.http_protocol import HttpProtocol

_LOG = logging.getLogger(__name__)
_POLL_SECONDS = 0.1


class PinnedModelRepository(ModelRepository):
    """Holds the model for the life of the process; ``Versions`` holds the version that it runs."""

    def unload(self, name: str) -> None:
        """Always refuses, 400."""
        raise InvalidInput("the model stays; POST /v2/repository/models/NAME/unload ends its version")


class GracefulModelServer(ModelServer):
    """Stops REST and gRPC together and keeps the model until both have finished their requests.

    Args:
        http: HTTP protocol of uvicorn.
        sockets: Listening sockets of REST; uvicorn closes them.
        grace_period_seconds: Maximum time for requests in progress after a signal to stop.
    """

    def __init__(self, http: HttpProtocol, sockets: Sequence[socket], grace_period_seconds: int) -> None:
        self._http, self._sockets = http, list(sockets)
        # gRPC is added below: kserve would start its own server.
        super().__init__(
            grace_period=grace_period_seconds, enable_grpc=False, registered_models=PinnedModelRepository()
        )

    def add_grpc(self, server: GRPCServer) -> None:
        """Adds the gRPC server; must be called before ``start``."""
        self._grpc_server = server
        self.servers.append(server.start(self.max_threads))

    def setup_event_loop(self) -> None:
        """Selects uvloop; kserve would prepare a loop that its own ``asyncio.run`` then does not use."""
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

    async def _serve(self) -> None:
        config, server = self._rest_server.config, self._rest_server._server
        # uvicorn reads these when it starts. No web sockets: an Upgrade header is then never followed.
        config.http, config.ws, config.proxy_headers = self._http, "none", False
        # kserve would have uvicorn listen on every IPv4 address and on no other.
        server.serve = partial(server.serve, sockets=self._sockets)
        watcher = asyncio.create_task(self._stop_grpc_with_rest())
        await asyncio.gather(*self.servers)
        await watcher

    async def _stop_grpc_with_rest(self) -> None:
        # uvicorn handles the signals while it serves; its flag tells that one came.
        while not self._rest_server._server.should_exit:
            await asyncio.sleep(_POLL_SECONDS)
        _LOG.info("stopping: new requests are refused, requests in progress are finished")
        if self._grpc_server is not None:
            await self._grpc_server.stop()

    def stop(self, sig: int) -> None:
        """Handles a signal that comes before or after uvicorn serves: sets the same flag."""
        self._rest_server._server.should_exit = True
