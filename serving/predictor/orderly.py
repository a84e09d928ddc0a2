"""An orderly end for kserve's ModelServer.

kserve 0.21 drops its models the moment it is told to stop, so that requests under way over gRPC end in
"no such model", and it keeps taking gRPC requests while REST drains.
"""

from __future__ import annotations

import asyncio
import logging

from kserve import ModelServer
from kserve.errors import InvalidInput
from kserve.model_repository import ModelRepository

_LOG = logging.getLogger(__name__)
_WATCH_SECONDS = 0.1


class OneModel(ModelRepository):
    """Holds the model for the life of the process: kserve would let any client unload it."""

    def unload(self, name: str) -> None:
        """Always refuses, 400."""
        raise InvalidInput(
            "this predictor serves one bundle for as long as it runs; stop the process instead"
        )


class OrderlyServer(ModelServer):
    """Stops both servers at once and keeps the model until they are done."""

    async def _serve(self) -> None:
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
