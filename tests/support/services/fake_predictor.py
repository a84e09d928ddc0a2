"""An HTTP server with prepared responses in the predictor's V2 format, for clients' error handling."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


def v2_response(photos: int) -> bytes:
    """The response for some photos: ``scab`` at 0.8, ``rust`` at 0.2."""
    rows: dict[str, list[Any]] = {
        "probabilities": [0.2, 0.8],
        "labels": ["scab", "rust"],
        "scores": [0.8, 0.2],
        "milliseconds": [3.5],
    }
    outputs = [{"name": k, "shape": [photos, len(v)], "data": v * photos} for k, v in rows.items()]
    return json.dumps({"model_version": "7", "outputs": outputs}).encode()


class FakePredictor:
    """Gives the prepared (status, body) responses in turn, then correct ones, and records requests.

    Attributes:
        url: Its address.
        prepared: Responses still to give.
        photos: Number of photos of each request answered correctly.
        top_k: Its parameter ``top_k``.
        lines: Request line of every request.
        headers: Further headers of every response.
    """

    def __init__(self) -> None:
        self.url = ""
        self.prepared: list[tuple[int, bytes]] = []
        self.photos: list[int] = []
        self.top_k: list[int | None] = []
        self.lines: list[str] = []
        self.headers = {"Retry-After": "0"}

    def reply(self, head: dict[str, Any], raw: bytes) -> tuple[int, bytes]:
        if self.prepared:
            return self.prepared.pop(0)
        count = head["inputs"][0]["shape"][0]
        assert head["inputs"][0]["parameters"]["binary_data_size"] == len(raw)
        self.photos.append(count)
        self.top_k.append(head["parameters"].get("top_k"))
        return 200, v2_response(count)


@contextmanager
def fake_predictor() -> Iterator[FakePredictor]:
    """Serves on a free port of 127.0.0.1 until the block ends."""
    state = FakePredictor()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            state.lines.append(self.requestline)
            body = self.rfile.read(int(self.headers["content-length"]))
            length = int(self.headers["Inference-Header-Content-Length"])
            self._send(*state.reply(json.loads(body[:length]), body[length:]))

        def do_GET(self) -> None:
            state.lines.append(self.requestline)
            metadata = json.dumps({"parameters": {"classes": ["rust", "scab"]}}).encode()
            self._send(*(state.prepared.pop(0) if state.prepared else (200, metadata)))

        def _send(self, status: int, content: bytes) -> None:
            self.send_response(status)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
