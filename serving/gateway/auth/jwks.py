"""Key sets of issuers: fetched asynchronously, kept, and fetched anew for an unknown key id."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import orjson
from jwt import PyJWK, PyJWTError

from serving.gateway.auth.principal import invalid_token
from serving.gateway.problems import ProblemError

_MAX_AGE_SECONDS = 3600.0
_RETRY_SECONDS = 10.0  # unknown key ids cannot make the gateway call its issuer more often than this
_MAX_BYTES = 512 * 2**10
_MAX_KEYS = 64
_TIMEOUT = aiohttp.ClientTimeout(total=5)


class KeySet:
    """The public keys of one issuer.

    Args:
        issuer: The issuer, for its discovery document.
        url: URL of the key set; empty: discovered.
        clock: Seconds, monotonic.
    """

    def __init__(self, issuer: str, url: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer, self._url, self._clock = issuer, url, clock
        self._keys: dict[str, PyJWK] = {}
        self._fetched, self._tried = -_MAX_AGE_SECONDS, -_RETRY_SECONDS
        self._failure: Exception | None = None  # of the last attempt
        self._lock = asyncio.Lock()

    async def key(self, key_id: str) -> PyJWK:
        """The key of that id.

        Raises:
            ProblemError: 401 for an unknown key; 503 if the issuer cannot be reached and nothing is cached.
        """
        if key_id not in self._keys or self._clock() - self._fetched > _MAX_AGE_SECONDS:
            await self._refresh(key_id)
        if key_id not in self._keys:
            raise invalid_token("it is signed with an unknown key")
        return self._keys[key_id]

    async def _refresh(self, key_id: str) -> None:
        async with self._lock:
            fresh = self._clock() - self._fetched <= _MAX_AGE_SECONDS
            if key_id in self._keys and fresh:
                return
            if self._clock() - self._tried >= _RETRY_SECONDS:
                await self._try()
            if self._failure and not self._keys:
                raise _unreachable(self._issuer, self._failure)

    async def _try(self) -> None:
        self._tried = self._clock()
        try:
            self._keys, self._fetched, self._failure = await self._fetch(), self._clock(), None
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError, TypeError) as error:
            self._failure = error

    async def _fetch(self) -> dict[str, PyJWK]:
        async with aiohttp.ClientSession(timeout=_TIMEOUT, trust_env=True) as session:
            if not self._url:
                self._url = str((await discover(session, self._issuer))["jwks_uri"])
            document = await fetch_json(session, self._url)
        keys = {}
        for fields in document["keys"][:_MAX_KEYS]:
            if fields.get("kty") in ("RSA", "EC", "OKP") and fields.get("use", "sig") == "sig":
                with contextlib.suppress(
                    PyJWTError, NotImplementedError, ValueError
                ):  # of an algorithm for other uses
                    keys[str(fields.get("kid", ""))] = PyJWK(fields)
        return keys


async def discover(session: aiohttp.ClientSession, issuer: str) -> dict[str, Any]:
    """The OIDC discovery document of an issuer; ValueError if it speaks of another issuer."""
    document = await fetch_json(session, issuer.rstrip("/") + "/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        raise ValueError(f"the discovery document names the issuer {document.get('issuer')!r}")
    return document


async def fetch_json(session: aiohttp.ClientSession, url: str) -> dict[str, Any]:
    """A JSON object of at most half a megabyte, without redirects.

    Raises:
        aiohttp.ClientError, TimeoutError, ValueError: It cannot be had.
    """
    if urlsplit(url).scheme not in ("http", "https"):
        raise ValueError(f"{url!r} is no http(s) URL")
    async with session.get(url, allow_redirects=False) as response:
        if response.status != 200:
            raise ValueError(f"{url} answered HTTP {response.status}")
        body = await response.content.read(_MAX_BYTES + 1)
    document = orjson.loads(body)
    if len(body) > _MAX_BYTES or not isinstance(document, dict):
        raise ValueError(f"{url} holds no JSON object of at most {_MAX_BYTES} bytes")
    return document


def _unreachable(issuer: str, error: Exception) -> ProblemError:
    return ProblemError(
        503,
        "issuer_unreachable",
        f"the keys of the issuer {issuer} cannot be fetched: {type(error).__name__}",
        remedy="try again later",
        headers={"Retry-After": "10"},
    )
