"""A file server that understands ranges and can be told to misbehave."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Behaviour:
    """What the server has, what it does to a request, and what it was asked.

    Attributes:
        files: Content by path.
        cut_after: Bytes after which a body is cut off; 0: never.
        cuts: How many bodies are cut.
        refusals: Status codes answered first, one a request.
        ranges: Whether ranges are understood.
        altered: Whether a bit of each body is flipped.
        asked: Range of each request for a file, ``""`` for all of it.
    """

    files: dict[str, bytes] = field(default_factory=dict)
    cut_after: int = 0
    cuts: int = 0
    refusals: list[int] = field(default_factory=list)
    ranges: bool = True
    altered: bool = False
    asked: list[str] = field(default_factory=list)
    url: str = ""


@contextmanager
def serve(behaviour: Behaviour) -> Iterator[Behaviour]:
    """Serves until the block ends; ``behaviour`` can be changed meanwhile."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            _answer(self, behaviour)

        def do_HEAD(self) -> None:
            content = behaviour.files.get(self.path)
            if content is None:
                return self.send_error(404)
            self.send_response(200)
            self.send_header("ETag", f'"{hash(content)}"')
            self.send_header("Content-Length", str(len(content)))
            return self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    behaviour.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=partial(server.serve_forever, poll_interval=0.01), daemon=True).start()
    try:
        yield behaviour
    finally:
        server.shutdown()
        server.server_close()


def _answer(request: BaseHTTPRequestHandler, behaviour: Behaviour) -> None:
    content = behaviour.files.get(request.path)
    if content is None:
        return request.send_error(404)
    wanted = request.headers.get("Range", "")
    behaviour.asked.append(wanted)
    if behaviour.refusals:
        return request.send_error(behaviour.refusals.pop(0))
    start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and behaviour.ranges else 0
    if start and start >= len(content):
        request.send_response(416)
        request.send_header("Content-Range", f"bytes */{len(content)}")
        request.send_header("Content-Length", "0")
        return request.end_headers()
    request.send_response(206 if start else 200)
    if start:
        request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
    request.send_header("Content-Length", str(len(content) - start))
    request.end_headers()
    _send(request, behaviour, content[start:])


def _send(request: BaseHTTPRequestHandler, behaviour: Behaviour, body: bytes) -> None:
    if behaviour.altered:
        body = body[:-1] + bytes([body[-1] ^ 1])
    if behaviour.cuts:
        behaviour.cuts -= 1
        body = body[: behaviour.cut_after]
        request.close_connection = True
    request.wfile.write(body)
