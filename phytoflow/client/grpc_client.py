"""Clients over gRPC, blocking and for asyncio. They need grpcio and protobuf (extra ``client-grpc``)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import grpc  # type: ignore[import-untyped]

from phytoflow.client.base import AsyncioClient, SyncClient
from phytoflow.client.exchange import Exchange
from phytoflow.client.grpc_codec import decode_metadata
from phytoflow.client.grpc_wire import GrpcWire
from phytoflow.protocol.constants import MAX_PHOTOS_PER_REQUEST
from phytoflow.protocol.grpc_messages import (
    METADATA,
    METHOD,
    InferRequest,
    InferResponse,
    MetadataRequest,
    MetadataResponse,
)


class GrpcClient(SyncClient[Any, Any]):
    """A client over gRPC.

    Args:
        target: Host and port, e.g. ``localhost:8081``. Hosts of this machine, of private networks and of the
            cluster are not asked through a proxy.
        model: Name of the served model.
        timeout: Seconds for one request; the predictor does not run photos after this deadline.
        retries: Further attempts if the predictor is overloaded or the connection is lost.
        max_photos_per_request: Longer lists are sent in several requests.

    Raises:
        ConfigError: ``target`` is no host and port.
    """

    def __init__(
        self,
        target: str,
        model: str = "leaf",
        *,
        timeout: float = 30.0,
        retries: int = 5,
        max_photos_per_request: int = MAX_PHOTOS_PER_REQUEST,
    ) -> None:
        wire = GrpcWire(target, model)
        self._channel = grpc.insecure_channel(wire.target, options=wire.options)
        self._model, self._timeout = model, timeout
        exchange = Exchange(wire, retries, max_photos_per_request)
        super().__init__(exchange, partial(_infer_call(self._channel), timeout=timeout))

    def metadata(self) -> dict[str, Any]:
        """The model's name and versions; class names and runtime are under ``parameters``."""
        describe = self._channel.unary_unary(
            METADATA,
            request_serializer=MetadataRequest.SerializeToString,
            response_deserializer=MetadataResponse.FromString,
        )
        call = partial(describe, timeout=self._timeout)
        return decode_metadata(self._send(call, MetadataRequest(name=self._model)))

    def close(self) -> None:
        """Closes the connection."""
        self._channel.close()


class AsyncGrpcClient(AsyncioClient[Any, Any]):
    """A client over gRPC for asyncio; arguments and errors as for ``GrpcClient``."""

    def __init__(
        self,
        target: str,
        model: str = "leaf",
        *,
        timeout: float = 30.0,
        retries: int = 5,
        max_photos_per_request: int = MAX_PHOTOS_PER_REQUEST,
    ) -> None:
        wire = GrpcWire(target, model)
        self._channel = grpc.aio.insecure_channel(wire.target, options=wire.options)
        exchange = Exchange(wire, retries, max_photos_per_request)
        super().__init__(exchange, partial(_infer_call(self._channel), timeout=timeout))

    async def close(self) -> None:
        """Closes the connection."""
        await self._channel.close()


def _infer_call(channel: Any) -> Callable[..., Any]:
    call: Callable[..., Any] = channel.unary_unary(
        METHOD,
        request_serializer=InferRequest.SerializeToString,
        response_deserializer=InferResponse.FromString,
    )
    return call
