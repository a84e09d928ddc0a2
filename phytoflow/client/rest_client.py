"""Clients over REST, blocking and for asyncio."""

from __future__ import annotations

from typing import Any

import httpx

from phytoflow.client.base import AsyncioClient, SyncClient
from phytoflow.client.exchange import Exchange
from phytoflow.client.rest_codec import NOT_OURS
from phytoflow.client.rest_wire import RestRequest, RestWire
from phytoflow.errors import ServingError
from phytoflow.protocol.constants import MAX_PHOTOS_PER_REQUEST


class Client(SyncClient[RestRequest, httpx.Response]):
    """A client over REST.

    Args:
        url: Address of the predictor, e.g. ``http://localhost:8080``; ``http://`` may be left out. Hosts of
            this machine, of private networks and of the cluster are not asked through HTTP_PROXY.
        model: Name of the served model.
        timeout: Seconds for one request.
        retries: Further attempts if the predictor is overloaded or the connection is lost.
        max_photos_per_request: Longer lists are sent in several requests.

    Raises:
        ConfigError: ``url`` is no HTTP address.
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
        self._wire = RestWire(url, model)
        self._http = httpx.Client(base_url=self._wire.base_url, timeout=timeout, mounts=self._wire.mounts)
        super().__init__(Exchange(self._wire, retries, max_photos_per_request), self._request)

    def metadata(self) -> dict[str, Any]:
        """The model's inputs, outputs and versions; class names and runtime are under ``parameters``."""
        response = self._send(self._request, RestRequest("GET", self._wire.path))
        try:
            metadata: dict[str, Any] = response.json()
        except ValueError as error:
            raise ServingError(f"{self._wire.url} gave no metadata", remedy=NOT_OURS) from error
        return metadata

    def ready(self) -> bool:
        """Whether the model can answer now."""
        try:
            return self._http.get(f"{self._wire.path}/ready").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    def _request(self, request: RestRequest) -> httpx.Response:
        return self._http.request(request.method, request.path, content=request.body, headers=request.headers)


class AsyncClient(AsyncioClient[RestRequest, httpx.Response]):
    """A client over REST for asyncio; arguments and errors as for ``Client``."""

    def __init__(
        self,
        url: str,
        model: str = "leaf",
        *,
        timeout: float = 30.0,
        retries: int = 5,
        max_photos_per_request: int = MAX_PHOTOS_PER_REQUEST,
    ) -> None:
        wire = RestWire(url, model)
        self._http = httpx.AsyncClient(base_url=wire.base_url, timeout=timeout, mounts=wire.mounts)
        super().__init__(Exchange(wire, retries, max_photos_per_request), self._request)

    async def close(self) -> None:
        """Closes the connections."""
        await self._http.aclose()

    async def _request(self, request: RestRequest) -> httpx.Response:
        return await self._http.request(
            request.method, request.path, content=request.body, headers=request.headers
        )
