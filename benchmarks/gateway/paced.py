"""Requests at a fixed rate, whether or not earlier ones were answered: latency below saturation."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence

import uvloop

_END = b"\r\n\r\n"
_LENGTH = b"content-length: "


class _Connection:
    """A kept connection that carries one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @property
    def is_closed(self) -> bool:
        """Whether the server has closed it, as it does with one that was idle for some seconds."""
        return self._reader.at_eof()

    async def ask(self, request: bytes) -> bytes:
        """Sends a whole request; returns the answer's status line."""
        self._writer.write(request)
        head = await self._reader.readuntil(_END)
        lower = head.lower()
        start = lower.index(_LENGTH) + len(_LENGTH)
        await self._reader.readexactly(int(lower[start : lower.index(b"\r\n", start)]))
        return head[: head.index(b"\r\n")]


def run_paced(port: int, requests: Sequence[bytes], rate: float, seconds: float) -> list[float]:
    """Latencies in seconds.

    Args:
        port: Where the server listens, on this machine.
        requests: Whole HTTP requests, sent in turn.
        rate: Requests a second.
        seconds: How long.

    Raises:
        ValueError: An answer was not 200.
    """
    return uvloop.run(_run(port, requests, rate, seconds))


async def _run(port: int, requests: Sequence[bytes], rate: float, seconds: float) -> list[float]:
    idle: list[_Connection] = []
    latencies: list[float] = []

    async def one(request: bytes, due: float) -> None:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        while idle and idle[-1].is_closed:
            idle.pop()
        connection = idle.pop() if idle else _Connection(*await asyncio.open_connection("127.0.0.1", port))
        start = time.perf_counter()
        status = await connection.ask(request)
        latencies.append(time.perf_counter() - start)
        idle.append(connection)
        if b" 200 " not in status + b" ":
            raise ValueError(f"the server answered {status!r}")

    begin = time.perf_counter() + 0.05
    count = int(rate * seconds)
    async with asyncio.TaskGroup() as group:
        for number in range(count):
            group.create_task(one(requests[number % len(requests)], begin + number / rate))
    return latencies[count // 10 :]  # the first ones open connections
