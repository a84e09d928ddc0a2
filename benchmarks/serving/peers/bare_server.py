"""The least that answers over HTTP in one process: a loop that reads and writes, a thread for each CPU.

Nobody would serve with it: it checks nothing, limits nothing, counts nothing and takes every request for a
photo. It is here as a bound: what one Python process can reach on this machine.
"""

from __future__ import annotations

import asyncio
import queue
import threading

import orjson
import uvloop

from benchmarks.serving.peers.common import Arguments, Model
from phytoflow.system.cpu import cpu_count
from phytoflow.system.malloc import tune_malloc_for_serving

_END, _LENGTH, _HEADER = b"\r\n\r\n", b"content-length: ", b"inference-header-content-length: "
_PREFIX = 4  # V2 puts a photo's length before it


class _Connection(asyncio.Protocol):
    """One request at a time, V2 with one binary photo; everything else is answered with an empty object."""

    def __init__(self, asked: queue.SimpleQueue[tuple[_Connection, bytes]]) -> None:
        self._asked, self._data = asked, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self._data += data
        head, _, body = self._data.partition(_END)
        named = b"\r\n" + head.lower()
        if len(body) < _number(named, b"\r\n" + _LENGTH):
            return
        self._data = b""
        photo = body[_number(named, _HEADER) + _PREFIX :]
        if photo:
            self._asked.put((self, photo))
        else:
            self.send(b"{}")

    def send(self, body: bytes) -> None:
        """Answers; in the loop's thread."""
        self._transport.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def _number(head: bytes, name: bytes) -> int:
    """What a header says; 0 if it is not there."""
    at = head.find(name)
    return int(head[at + len(name) :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def _worker(
    model: Model,
    asked: queue.SimpleQueue[tuple[_Connection, bytes]],
    loop: asyncio.AbstractEventLoop,
) -> None:
    while True:
        connection, photo = asked.get()
        output = {"name": "probabilities", "data": model.answer(photo)}
        loop.call_soon_threadsafe(connection.send, orjson.dumps({"outputs": [output]}))


async def _serve(arguments: Arguments) -> None:
    model, loop = Model(arguments), asyncio.get_running_loop()
    asked: queue.SimpleQueue[tuple[_Connection, bytes]] = queue.SimpleQueue()
    for _ in range(cpu_count()):
        threading.Thread(target=_worker, args=(model, asked, loop), daemon=True).start()
    server = await loop.create_server(lambda: _Connection(asked), "127.0.0.1", arguments.port)
    await server.serve_forever()


if __name__ == "__main__":
    tune_malloc_for_serving()
    uvloop.run(_serve(Arguments.read()))
