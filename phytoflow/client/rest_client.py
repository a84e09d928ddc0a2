"""Clients over REST, for ordinary code and for asyncio."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import httpx

from phytoflow.client import rest_codec as v2
from phytoflow.client.prediction import Answer
from phytoflow.client.rest_codec import Photo
from phytoflow.client.retry import RETRIED, at_least, delays
from phytoflow.errors import ServingError
from phytoflow.protocol.constants import MAX_EXPLAINED_PHOTOS, MAX_PHOTOS_PER_REQUEST


class Client:
    """Asks a predictor over REST.

    Args:
        url: E.g. ``http://localhost:8080``.
        model: Name of the served model.
        timeout: Seconds for one request.
        retries: Further tries when the predictor is overloaded or the connection is lost.
        max_photos_per_request: Photos in one request; longer lists are sent in several.
    """

    def __init__(
        self,
        url: str,
        model: str = "leaf",
        *,
        timeout: float = 30.0,
        retries: int = 5,
        max_photos_per_request: int = MAX_PHOTOS_PER_REQUEST,
    ) -> None:
        self._path = f"/v2/models/{model}"
        self._http = httpx.Client(base_url=url, timeout=timeout)
        self._retries = retries
        self._max_photos = max_photos_per_request

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
            body, headers = v2.encode(chunk, top_k, tta)
            answers += v2.decode(self._send("POST", f"{self._path}/infer", body, headers).content)
        return answers

    def explain(self, photos: Sequence[Photo], label: str | None = None) -> list[Answer]:
        """Classifies photos and says what in them spoke for a class; see ``predict`` for errors.

        Args:
            photos: The photos.
            label: The class to explain; None: each photo's likeliest.
        """
        answers: list[Answer] = []
        for chunk in v2.chunks(photos, min(self._max_photos, MAX_EXPLAINED_PHOTOS)):
            body, headers = v2.encode(chunk, None, explain=label or "")
            answers += v2.decode(self._send("POST", f"{self._path}/infer", body, headers).content)
        return answers

    def metadata(self) -> dict[str, Any]:
        """Inputs, outputs, versions and, under ``parameters``, class names and runtime."""
        metadata: dict[str, Any] = self._send("GET", self._path).json()
        return metadata

    def ready(self) -> bool:
        """Whether the model answers now."""
        try:
            return self._http.get(f"{self._path}/ready").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        """Closes its connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _send(
        self, method: str, path: str, body: bytes = b"", headers: dict[str, str] | None = None
    ) -> httpx.Response:
        for delay in delays(self._retries):
            try:
                response = self._http.request(method, path, content=body, headers=headers)
            except httpx.TransportError:
                time.sleep(delay)
                continue
            if response.status_code not in RETRIED:
                return _checked(response)
            time.sleep(at_least(delay, response.headers))
        try:
            return _checked(self._http.request(method, path, content=body, headers=headers))
        except httpx.HTTPError as error:
            raise _unreachable(self._http.base_url, error) from error


class AsyncClient:
    """The same for asyncio; see ``Client`` for arguments and errors."""

    def __init__(
        self,
        url: str,
        model: str = "leaf",
        *,
        timeout: float = 30.0,
        retries: int = 5,
        max_photos_per_request: int = MAX_PHOTOS_PER_REQUEST,
    ) -> None:
        self._path = f"/v2/models/{model}"
        self._http = httpx.AsyncClient(base_url=url, timeout=timeout)
        self._retries = retries
        self._max_photos = max_photos_per_request

    async def predict(
        self, photos: Sequence[Photo], top_k: int | None = None, tta: str | None = None
    ) -> list[Answer]:
        """Classifies photos; groups that need several requests are sent at once."""
        groups = await asyncio.gather(
            *(self._group(chunk, top_k, tta) for chunk in v2.chunks(photos, self._max_photos, tta))
        )
        return [answer for group in groups for answer in group]

    async def explain(self, photos: Sequence[Photo], label: str | None = None) -> list[Answer]:
        """As ``Client.explain``; groups that need several requests take turns."""
        answers: list[Answer] = []
        for chunk in v2.chunks(photos, min(self._max_photos, MAX_EXPLAINED_PHOTOS)):
            body, headers = v2.encode(chunk, None, explain=label or "")
            answers += v2.decode((await self._send(f"{self._path}/infer", body, headers)).content)
        return answers

    async def close(self) -> None:
        """Closes its connections."""
        await self._http.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _group(self, photos: Sequence[Photo], top_k: int | None, tta: str | None) -> list[Answer]:
        body, headers = v2.encode(photos, top_k, tta)
        return v2.decode((await self._send(f"{self._path}/infer", body, headers)).content)

    async def _send(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        for delay in delays(self._retries):
            try:
                response = await self._http.post(path, content=body, headers=headers)
            except httpx.TransportError:
                await asyncio.sleep(delay)
                continue
            if response.status_code not in RETRIED:
                return _checked(response)
            await asyncio.sleep(at_least(delay, response.headers))
        try:
            return _checked(await self._http.post(path, content=body, headers=headers))
        except httpx.HTTPError as error:
            raise _unreachable(self._http.base_url, error) from error


def _checked(response: httpx.Response) -> httpx.Response:
    if response.status_code == httpx.codes.OK:
        return response
    raise v2.refusal(str(response.url.join("/")).rstrip("/"), response.status_code, response.content)


def _unreachable(url: httpx.URL, error: Exception) -> ServingError:
    remedy = "check the URL and that the predictor runs: GET /v2/models/NAME/ready"
    return ServingError(f"{url} cannot be reached: {error}", remedy=remedy)
