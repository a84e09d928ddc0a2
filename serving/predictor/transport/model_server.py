"""An orderly end for kserve's ModelServer.

kserve 0.21 drops its models the moment it is told to stop, so that requests under way over gRPC end in
"no such model", and it keeps taking gRPC requests while REST drains.
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

from serving.predictor.transport.rest.endpoints import Rest
from serving.predictor.transport.rest.fast_path import Connection

_LOG = logging.getLogger(__name__)
_WATCH_SECONDS = 0.1


class OneModel(ModelRepository):
    """Holds the model for the life of the process; which version it runs is told in ``versions``."""

    def unload(self, name: str) -> None:
        """Always refuses, 400."""
        raise InvalidInput("the model stays; POST /v2/repository/models/NAME/unload ends its version")


class OrderlyServer(ModelServer):
    """Stops both servers at once and keeps the model until they are done.

    Args:
        rest: Answers V2 questions; the rest is kserve's application's.
        sockets: Listening sockets of REST; closed at the end.
        grace_period_seconds: Longest wait for requests under way when told to stop.
    """

    def __init__(self, rest: Rest, sockets: Sequence[socket], grace_period_seconds: int) -> None:
        self._rest, self._sockets = rest, list(sockets)
        # gRPC is added below: kserve would start its own.
        super().__init__(
            grace_period=grace_period_seconds,
            enable_grpc=False,
            registered_models=OneModel(),
        )

    def add_grpc(self, server: GRPCServer) -> None:
        """Serves gRPC too; call before ``start``."""
        self._grpc_server = server
        self.servers.append(server.start(self.max_threads))

    def setup_event_loop(self) -> None:
        """uvloop; kserve would prepare a loop that its own ``asyncio.run`` then does not take."""
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())

    async def _serve(self) -> None:
        config = self._rest_server.config  # uvicorn reads it when it starts
        config.http, config.proxy_headers = partial(Connection, self._rest), False
        # kserve would have uvicorn listen on every IPv4 address and on no other.
        server = self._rest_server._server
        server.serve = partial(server.serve, sockets=self._sockets)
        watch = asyncio.create_task(self._stop_grpc_with_rest())
        await asyncio.gather(*self.servers)
        await watch

    async def _stop_grpc_with_rest(self) -> None:
        """Uvicorn owns the signals while it serves; its flag says that one came."""
        while not self._rest_server._server.should_exit:
            await asyncio.sleep(_WATCH_SECONDS)
        _LOG.info("told to stop: no new requests, those under way are finished")
        if self._grpc_server is not None:
            await self._grpc_server.stop()

    def stop(self, sig: int) -> None:
        """A signal before or after uvicorn serves: the flag is set either way, the rest follows."""
        self._rest_server._server.should_exit = True
