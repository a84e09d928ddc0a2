"""Requests to the REST API of an MLflow server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from phytoflow.errors import TrackingError
from phytoflow.tracking.links import without_secret

_SECONDS = 20.0  # for all requests of one connection together
_REQUEST_SECONDS = 5.0
_CONNECTIONS = 8
_ABSENT = "RESOURCE_DOES_NOT_EXIST"  # MLflow's error code


@asynccontextmanager
async def connect(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """Opens a client of the API.

    Args:
        url: The server, with user and password if it wants some.

    Raises:
        TrackingError: The server cannot be reached, refuses, or answers as MLflow does not.
    """
    timeout = httpx.Timeout(_REQUEST_SECONDS, pool=None)
    limits = httpx.Limits(max_connections=_CONNECTIONS)
    root = f"{url.rstrip('/')}/api/2.0/mlflow/"
    try:
        async with (
            asyncio.timeout(_SECONDS),
            httpx.AsyncClient(base_url=root, timeout=timeout, limits=limits) as client,
        ):
            yield client
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, ValueError, LookupError, TypeError) as error:
        what = f"no runs can be read from MLflow at {without_secret(url)}: {_why(error)}"
        raise TrackingError(what, remedy="check that the server runs") from error


async def get(client: httpx.AsyncClient, path: str, query: Mapping[str, str | int]) -> Any:
    """What the server answers; None if it has no such thing."""
    response = await client.get(path, params=query)
    # A server that is not MLflow also answers 404, but not with MLflow's error code.
    if response.status_code == httpx.codes.NOT_FOUND and _ABSENT in response.text:
        return None
    return response.raise_for_status().json()


def _why(error: Exception) -> str:
    match error:
        case httpx.HTTPStatusError():
            return f"it answers {error.response.status_code}"
        case TimeoutError() | httpx.TimeoutException():
            return "it does not answer in time"
        case httpx.HTTPError():
            return str(error) or type(error).__name__
    return "its answer is not one of MLflow"
