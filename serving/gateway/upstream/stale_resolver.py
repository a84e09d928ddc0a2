"""Looks host names up, and uses the last known addresses while the name server does not answer (RFC 8767)."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from collections.abc import Callable

from aiohttp.abc import AbstractResolver, ResolveResult

_LOG = logging.getLogger(__name__)
_PATIENCE_SECONDS = 1.8  # RFC 8767, section 5: longer waits make clients give up
_MAX_STALE_SECONDS = 86400.0  # RFC 8767, section 5, names one to three days
_NO_SUCH_NAME = frozenset({socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)})

_Key = tuple[str, int, int]


class StaleResolver(AbstractResolver):
    """A resolver that remembers.

    An answer that there is no such name is believed, and the addresses are forgotten.

    Args:
        resolver: Asks the name server.
        clock: Seconds, monotonic.
    """

    def __init__(self, resolver: AbstractResolver, clock: Callable[[], float] = time.monotonic) -> None:
        self._resolver, self._clock = resolver, clock
        self._known: dict[_Key, tuple[float, list[ResolveResult]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The addresses of a host; raises OSError if they are not known."""
        key = (host, port, int(family))
        stale = self._stale(key)
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS if stale else None):
                found = await self._resolver.resolve(host, port, family)
        except OSError as error:  # TimeoutError is one
            if isinstance(error, socket.gaierror) and error.errno in _NO_SUCH_NAME:
                self._known.pop(key, None)
                raise
            if not stale:
                raise
            _LOG.warning("%s cannot be looked up (%r); its last known address is used", host, error)
            return stale
        self._known[key] = (self._clock(), found)
        return found

    async def close(self) -> None:
        """Closes the resolver that asks."""
        await self._resolver.close()

    def _stale(self, key: _Key) -> list[ResolveResult]:
        """The last known addresses, unless they are too old."""
        since, addresses = self._known.get(key, (0.0, []))
        return addresses if self._clock() - since <= _MAX_STALE_SECONDS else []
