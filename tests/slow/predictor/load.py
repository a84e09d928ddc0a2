"""A light load: prebuilt requests on raw connections, so that the client takes little CPU."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from phytoflow.client.rest_codec import encode

_KEPT_SECONDS = 3  # the server closes connections that were idle for five


@dataclass
class Seen:
    """What came back.

    Attributes:
        seconds: Of each answer, by status; when it came and how long it took.
    """

    seconds: dict[int, list[tuple[float, float]]] = field(default_factory=dict)

    def add(self, status: int, begun: float) -> None:
        now = time.perf_counter()
        self.seconds.setdefault(status, []).append((now, now - begun))

    def count(self, status: int, since: float = 0.0, until: float = float("inf")) -> int:
        return sum(since <= at < until for at, _ in self.seconds.get(status, []))

    def quantile(self, status: int, share: float) -> float:
        taken = sorted(seconds for _, seconds in self.seconds[status])
        return taken[int(share * len(taken))]


class Connection:
    """One keep-alive connection that sends the same request."""

    def __init__(self, url: str, photos: list[bytes], model: str = "leaf") -> None:
        parts = urlsplit(url)
        assert parts.hostname and parts.port
        self._place = parts.hostname, parts.port
        body, headers = encode(photos, None)
        lines = [f"POST /v2/models/{model}/infer HTTP/1.1", f"Host: {parts.netloc}"]
        lines += [f"Content-Length: {len(body)}", *(f"{name}: {value}" for name, value in headers.items())]
        self._request = "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    async def ask(self) -> tuple[int, bytes]:
        """Status and body of one answer."""
        if not hasattr(self, "_reader"):
            self._reader, self._writer = await asyncio.open_connection(*self._place)
        self._writer.write(self._request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = int(head.split(b"content-length:")[1].split(b"\r\n")[0])
        return int(head.split(b" ", 2)[1]), await self._reader.readexactly(length)

    def close(self) -> None:
        if hasattr(self, "_writer"):
            self._writer.close()


async def closed_loop(
    make: Callable[[], Connection], concurrency: int, seconds: float, check: Callable[[bytes], None]
) -> Seen:
    """Each connection asks again as soon as it is answered."""
    seen, end = Seen(), time.perf_counter() + seconds

    async def one() -> None:
        connection = make()
        while (begun := time.perf_counter()) < end:
            status, body = await connection.ask()
            seen.add(status, begun)
            if status == 200:
                check(body)
        connection.close()

    await asyncio.gather(*(one() for _ in range(concurrency)))
    return seen


async def open_loop(make: Callable[[], Connection], rate: float, seconds: float) -> Seen:
    """Requests come at a rate, whether or not those before have been answered."""
    seen, start = Seen(), time.perf_counter()
    idle: list[tuple[Connection, float]] = []
    asked: set[asyncio.Task[None]] = set()

    async def one() -> None:
        begun = time.perf_counter()
        connection = _kept(idle, begun) or make()
        status, _ = await connection.ask()
        seen.add(status, begun)
        idle.append((connection, time.perf_counter()))

    for index in range(int(rate * seconds)):
        if (wait := start + index / rate - time.perf_counter()) > 0:
            await asyncio.sleep(wait)
        task = asyncio.create_task(one())
        asked.add(task)
        task.add_done_callback(asked.discard)
    await asyncio.gather(*asked)
    for connection, _ in idle:
        connection.close()
    return seen


def _kept(idle: list[tuple[Connection, float]], now: float) -> Connection | None:
    """The connection used last, as long as the server surely keeps it open too."""
    if idle and now - idle[-1][1] < _KEPT_SECONDS:
        return idle.pop()[0]
    while idle:
        idle.pop()[0].close()
    return None
