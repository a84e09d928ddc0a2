"""uvicorn's connection, whose answers leave in one piece.

uvicorn writes an answer's head and its body one after the other, and uvloop sends each at once: two system
calls, and a client that is woken twice, on cores that the photos need.
"""

from __future__ import annotations

import asyncio
from typing import Any, cast

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol


class Connection(HttpToolsProtocol):
    """One client's connection."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Puts the gathering of writes between uvicorn and the transport."""
        super().connection_made(cast(asyncio.Transport, Gathered(transport, self.loop)))


class Gathered:
    """A transport that sends what is written in one turn of the event loop together.

    Args:
        transport: Does all the rest.
        loop: Whose turns count.
    """

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self._transport, self._loop = transport, loop
        self._written: list[bytes] = []

    def write(self, data: bytes) -> None:
        """Sends it after this turn of the loop."""
        if not self._written:
            self._loop.call_soon(self._send)
        self._written.append(data)

    def close(self) -> None:
        """Sends what was written, then closes."""
        self._send()
        self._transport.close()

    def _send(self) -> None:
        if self._written:
            data, self._written = b"".join(self._written), []
            self._transport.write(data)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
