"""Closed-loop clients on raw sockets: each sends a ready-made request, waits for the answer, sends the next.

They share the servers' CPUs, so they must cost little: requests are bytes made beforehand, answers are kept
as bytes and read once the clock has stopped.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import uvloop

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


@dataclass
class Window:
    """What one measurement saw.

    Attributes:
        seconds: Its length.
        answers: Index of the request, status line and body of each answer, also those before and after it.
        latencies: Seconds of each answer that came within it.
        broken: Connections the server closed.
    """

    seconds: float
    answers: list[tuple[int, bytes, bytes]] = field(default_factory=list)
    latencies: list[float] = field(default_factory=list)
    broken: int = 0


class _Client(asyncio.Protocol):
    def __init__(self, requests: Sequence[bytes], index: int, window: Window, since: float) -> None:
        self._requests, self._index = requests, index
        self._window, self._since, self._until = window, since, since + window.seconds
        self._data, self._whole = b"", 0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]
        self._ask()

    def data_received(self, data: bytes) -> None:
        self._data += data
        if not self._whole:
            self._whole = _whole(self._data)
        if self._whole and len(self._data) >= self._whole:
            self._answered()

    def connection_lost(self, error: Exception | None) -> None:
        if not self.done.done():
            self._window.broken += 1
            self.done.set_result(None)

    def _ask(self) -> None:
        self._start = time.perf_counter()
        self._transport.write(self._requests[self._index])

    def _answered(self) -> None:
        now = time.perf_counter()
        head, _, body = self._data.partition(_END)
        self._window.answers.append((self._index, head[:15], body))
        if self._since <= now <= self._until:
            self._window.latencies.append(now - self._start)
        self._data, self._whole = b"", 0
        self._index = (self._index + 1) % len(self._requests)
        if now < self._until:
            self._ask()
        else:
            self.done.set_result(None)
            self._transport.close()


def _whole(data: bytes) -> int:
    """Length of the whole answer once its head is there, else 0."""
    end = data.find(_END)
    if end < 0:
        return 0
    start = data[:end].lower().find(_LENGTH)
    if start < 0:
        raise ValueError(f"an answer without Content-Length: {data[:200]!r}")
    return end + len(_END) + int(data[start + len(_LENGTH) : end].split(b"\r\n", 1)[0])


def run(port: int, requests: Sequence[bytes], clients: int, seconds: float, lead: float = 0.0) -> Window:
    """Asks a server on this machine for a while.

    Args:
        port: Where it listens.
        requests: Whole HTTP requests; the clients go through them in different orders.
        clients: Connections, each with one request in flight.
        seconds: Length of the window.
        lead: Seconds before it, in which the clients fall into step: they all start at once, and a server
            needs some rounds to work as it then goes on.
    """
    gc.disable()
    try:
        return uvloop.run(_run(port, requests, clients, Window(seconds), lead))
    finally:
        gc.enable()


async def _run(port: int, requests: Sequence[bytes], clients: int, window: Window, lead: float) -> Window:
    loop, made = asyncio.get_running_loop(), []
    since = time.perf_counter() + lead
    for number in range(clients):
        client = _Client(requests, number * len(requests) // clients, window, since)
        await loop.create_connection(lambda c=client: c, "127.0.0.1", port)  # type: ignore[misc]
        made.append(client)
    await asyncio.gather(*(client.done for client in made))
    return window
