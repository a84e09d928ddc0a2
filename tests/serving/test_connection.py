"""What is written in one turn of the event loop leaves in one piece, in order, and before the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import uvloop

from serving.predictor.connection import Gathered


class Recorded(asyncio.Protocol):
    """A server's side of a connection that counts what reaches its transport."""

    def __init__(self, act: Callable[[Gathered], None]) -> None:
        self._act = act
        self.sent: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        real, sent = transport, self.sent

        class Counting:
            def write(self, data: bytes) -> None:
                sent.append(data)
                real.write(data)  # type: ignore[attr-defined]

            def __getattr__(self, name: str) -> object:
                return getattr(real, name)

        self._act(Gathered(Counting(), asyncio.get_running_loop()))  # type: ignore[arg-type]


def exchange(act: Callable[[Gathered], None]) -> tuple[list[bytes], bytes]:
    """What the transport was given, and what the client read until the end."""

    async def run() -> tuple[list[bytes], bytes]:
        served = Recorded(act)
        server = await asyncio.get_running_loop().create_server(lambda: served, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        read = await reader.read()
        writer.close()
        server.close()
        return served.sent, read

    return uvloop.run(asyncio.wait_for(run(), 10))


def later(do: Callable[[], None]) -> None:
    asyncio.get_running_loop().call_later(0.02, do)


def test_a_head_and_its_body_are_one_write() -> None:
    def answer(transport: Gathered) -> None:
        transport.write(b"head\r\n\r\n")
        transport.write(b"body")
        later(transport.close)

    assert exchange(answer) == ([b"head\r\n\r\nbody"], b"head\r\n\r\nbody")


def test_turns_are_not_mixed() -> None:
    def answer(transport: Gathered) -> None:
        transport.write(b"first")
        later(lambda: (transport.write(b"second"), transport.close()))  # type: ignore[func-returns-value]

    assert exchange(answer) == ([b"first", b"second"], b"firstsecond")


def test_nothing_is_lost_where_the_connection_ends_at_once() -> None:
    def answer(transport: Gathered) -> None:
        transport.write(b"gone")
        transport.close()

    assert exchange(answer) == ([b"gone"], b"gone")


def test_the_rest_is_the_transports_own() -> None:
    seen = []

    def answer(transport: Gathered) -> None:
        seen.append((transport.get_extra_info("peername")[0], transport.is_closing()))
        transport.close()

    exchange(answer)
    assert seen == [("127.0.0.1", False)]
