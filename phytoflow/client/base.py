"""Blocking and asyncio clients, without a transport."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from types import TracebackType
from typing import Generic, Self

from phytoflow.client.exchange import Exchange, Request, Response
from phytoflow.client.parameters import InferParameters, Photo
from phytoflow.client.prediction import Prediction


class SyncClient(Generic[Request, Response]):
    """Sends one request after the other; subclasses say how.

    Args:
        exchange: What to send, and what the responses mean.
        infer: Sends one inference request.
    """

    def __init__(self, exchange: Exchange[Request, Response], infer: Callable[[Request], Response]) -> None:
        self._exchange, self._infer = exchange, infer

    def predict(
        self, photos: Sequence[Photo], top_k: int | None = None, tta: str | None = None
    ) -> list[Prediction]:
        """Classifies photos.

        Args:
            photos: Encoded photos, or paths of their files.
            top_k: Labels per photo; None: the predictor's default.
            tta: ``flips`` or ``crops``: views of each photo that are averaged; None: the photo alone.

        Returns:
            One prediction per photo, in the same order.

        Raises:
            RefusedError: The predictor refuses; the message names the photo and the reason.
            ServingError: It cannot be reached, or something else answers in its place.
            OSError: A file cannot be read.
        """
        return self._predict(photos, InferParameters(top_k, tta))

    def explain(self, photos: Sequence[Photo], label: str | None = None) -> list[Prediction]:
        """Classifies photos, with a heat map of what speaks for a class; errors as for ``predict``.

        Args:
            photos: Encoded photos, or paths of their files.
            label: Class to explain; None: each photo's most likely one.
        """
        return self._predict(photos, InferParameters(explain=True, label=label))

    def close(self) -> None:
        """Closes the connection."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _predict(self, photos: Sequence[Photo], parameters: InferParameters) -> list[Prediction]:
        requests = self._exchange.requests(photos, parameters)
        responses = (self._send(self._infer, request) for request in requests)
        return [prediction for r in responses for prediction in self._exchange.wire.decode(r)]

    def _send(self, call: Callable[[Request], Response], request: Request) -> Response:
        attempts = self._exchange.attempts()
        while True:
            outcome: Response | Exception
            try:
                outcome = response = call(request)
            except self._exchange.wire.exceptions as error:
                outcome = error
            delay = attempts.delay_after(outcome)
            if delay is None:
                return response
            time.sleep(delay)


class AsyncioClient(Generic[Request, Response]):
    """Sends requests concurrently with asyncio; subclasses say how. See ``SyncClient``."""

    def __init__(
        self, exchange: Exchange[Request, Response], infer: Callable[[Request], Awaitable[Response]]
    ) -> None:
        self._exchange, self._infer = exchange, infer

    async def predict(
        self, photos: Sequence[Photo], top_k: int | None = None, tta: str | None = None
    ) -> list[Prediction]:
        """Classifies photos as ``SyncClient.predict`` does; several requests are sent at once."""
        requests = self._exchange.requests(photos, InferParameters(top_k, tta))
        groups = await asyncio.gather(*map(self._predict, requests))
        return [prediction for group in groups for prediction in group]

    async def explain(self, photos: Sequence[Photo], label: str | None = None) -> list[Prediction]:
        """Explains photos as ``SyncClient.explain`` does, one request after the other."""
        parameters = InferParameters(explain=True, label=label)
        requests = self._exchange.requests(photos, parameters)
        groups = [await self._predict(request) for request in requests]  # a predictor makes one at a time
        return [prediction for group in groups for prediction in group]

    async def close(self) -> None:
        """Closes the connection."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _predict(self, request: Request) -> list[Prediction]:
        attempts = self._exchange.attempts()
        while True:
            outcome: Response | Exception
            try:
                outcome = response = await self._infer(request)
            except self._exchange.wire.exceptions as error:
                outcome = error
            delay = attempts.delay_after(outcome)
            if delay is None:
                return self._exchange.wire.decode(response)
            await asyncio.sleep(delay)
