"""Clients over gRPC, for ordinary code and for asyncio. They need the package grpcio (extra ``serve``)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import grpc  # type: ignore[import-untyped]

from phytoflow.client import rest_codec as v2
from phytoflow.client.grpc_codec import decode, encode
from phytoflow.client.prediction import Answer, RefusedError
from phytoflow.client.rest_codec import Photo
from phytoflow.client.retry import delays
from phytoflow.errors import ServingError
from phytoflow.protocol.constants import MAX_EXPLAINED_PHOTOS, MAX_PHOTOS_PER_REQUEST
from phytoflow.protocol.grpc_messages import (
    METADATA,
    METHOD,
    InferRequest,
    InferResponse,
    MetadataRequest,
    MetadataResponse,
)

_RETRIED = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED)
_UNREACHABLE = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED)
_UNLIMITED = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]


class GrpcClient:
    """Asks a predictor over gRPC.

    Args:
        target: Host and port, e.g. ``localhost:8081``.
        model: Name of the served model.
        timeout: Seconds for one request; the predictor does not run what is past it.
        retries: Further tries when the predictor is overloaded or the connection is lost.
        max_photos_per_request: Photos in one request; longer lists are sent in several.
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
        self._target, self._model, self._timeout = target, model, timeout
        self._retries, self._max_photos = retries, max_photos_per_request
        self._channel = grpc.insecure_channel(target, options=_UNLIMITED)
        self._infer = _method(self._channel)
        self._describe = self._channel.unary_unary(
            METADATA,
            request_serializer=MetadataRequest.SerializeToString,
            response_deserializer=MetadataResponse.FromString,
        )

    def predict(
        self, photos: Sequence[Photo], top_k: int | None = None, tta: str | None = None
    ) -> list[Answer]:
        """Classifies photos, given as bytes or paths.

        Args:
            photos: The photos.
            top_k: Labels a photo; None: the predictor's default.
            tta: ``flips`` or ``crops``: views of each photo whose answers are averaged; None: no others.

        Raises:
            RefusedError: The predictor refuses; the message says which photo and why.
            ServingError: It cannot be reached.
        """
        answers: list[Answer] = []
        for chunk in v2.chunks(photos, self._max_photos, tta):
            answers += decode(self._send(encode(self._model, chunk, top_k, tta)))
        return answers

    def explain(self, photos: Sequence[Photo], label: str | None = None) -> list[Answer]:
        """Classifies photos and says what in them spoke for a class; see ``predict`` for errors.

        Args:
            photos: The photos.
            label: The class to explain; None: each photo's likeliest.
        """
        answers: list[Answer] = []
        for chunk in v2.chunks(photos, min(self._max_photos, MAX_EXPLAINED_PHOTOS)):
            answers += decode(self._send(encode(self._model, chunk, None, explain=label or "")))
        return answers

    def metadata(self) -> dict[str, Any]:
        """Name, versions and, under ``parameters``, class names and runtime, as ``Client.metadata``."""
        try:
            found = self._describe(MetadataRequest(name=self._model), timeout=self._timeout)
        except grpc.RpcError as error:
            raise _refusal(self._target, error) from error
        parameters = {property.key: _value(property.value) for property in found.properties}
        return {"name": found.name, "versions": list(found.versions), "parameters": parameters}

    def close(self) -> None:
        """Closes its connection."""
        self._channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(self, request: Any) -> Any:
        waits = [*delays(self._retries), None]
        for wait in waits:
            try:
                return self._infer(request, timeout=self._timeout)
            except grpc.RpcError as error:
                if wait is None or error.code() not in _RETRIED:
                    raise _refusal(self._target, error) from error
                time.sleep(wait)
        raise AssertionError("unreachable")


class AsyncGrpcClient:
    """The same for asyncio; see ``GrpcClient`` for arguments and errors."""

    def __init__(
        self,
        target: str,
        model: str = "leaf",
        *,
        timeout: float = 30.0,
        retries: int = 5,
        max_photos_per_request: int = MAX_PHOTOS_PER_REQUEST,
    ) -> None:
        self._target, self._model, self._timeout = target, model, timeout
        self._retries, self._max_photos = retries, max_photos_per_request
        self._channel = grpc.aio.insecure_channel(target, options=_UNLIMITED)
        self._infer = _method(self._channel)

    async def predict(
        self, photos: Sequence[Photo], top_k: int | None = None, tta: str | None = None
    ) -> list[Answer]:
        """Classifies photos; groups that need several requests are sent at once."""
        requests = [
            encode(self._model, chunk, top_k, tta) for chunk in v2.chunks(photos, self._max_photos, tta)
        ]
        responses = await asyncio.gather(*map(self._send, requests))
        return [answer for response in responses for answer in decode(response)]

    async def explain(self, photos: Sequence[Photo], label: str | None = None) -> list[Answer]:
        """As ``GrpcClient.explain``; groups that need several requests take turns."""
        answers: list[Answer] = []
        for chunk in v2.chunks(photos, min(self._max_photos, MAX_EXPLAINED_PHOTOS)):
            answers += decode(await self._send(encode(self._model, chunk, None, explain=label or "")))
        return answers

    async def close(self) -> None:
        """Closes its connection."""
        await self._channel.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _send(self, request: Any) -> Any:
        waits = [*delays(self._retries), None]
        for wait in waits:
            try:
                return await self._infer(request, timeout=self._timeout)
            except grpc.RpcError as error:
                if wait is None or error.code() not in _RETRIED:
                    raise _refusal(self._target, error) from error
                await asyncio.sleep(wait)
        raise AssertionError("unreachable")


def _value(text: str) -> Any:
    """A property: lists and objects come as JSON, everything else as it is."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def _method(channel: Any) -> Any:
    return channel.unary_unary(
        METHOD,
        request_serializer=InferRequest.SerializeToString,
        response_deserializer=InferResponse.FromString,
    )


def _refusal(target: str, error: Any) -> ServingError:
    if error.code() in _UNREACHABLE:
        remedy = "check host and port, and that the predictor runs"
        return ServingError(f"{target} cannot be reached: {error.details()}", remedy=remedy)
    return RefusedError(
        f"{target} refused: {error.details()}", status=0, reason=error.code().name.lower().replace("_", " ")
    )
