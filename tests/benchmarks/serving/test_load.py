"""The closed-loop clients: every answer whole, by the request that it belongs to."""

from __future__ import annotations

import socketserver
import threading
import time
from collections.abc import Iterator

import pytest

from benchmarks.serving import load


class _Handler(socketserver.StreamRequestHandler):
    """Answers GET /N with N, in two pieces; closes the connection at /close."""

    def handle(self) -> None:
        while line := self.rfile.readline():
            while self.rfile.readline() not in (b"\r\n", b""):
                pass
            name = line.split()[1].decode().strip("/")
            if name == "close":
                return
            self.wfile.write(f"HTTP/1.1 200 OK\r\nContent-Length: {len(name)}\r\n".encode())
            self.wfile.flush()
            time.sleep(0.002)
            self.wfile.write(b"\r\n" + name.encode())


@pytest.fixture
def port() -> Iterator[int]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def requests(*names: str) -> list[bytes]:
    return [f"GET /{name} HTTP/1.1\r\nHost: x\r\n\r\n".encode() for name in names]


def test_answers_come_whole_and_by_their_request(port: int) -> None:
    names = ["a", "bb", "ccc"]
    window = load.run(port, requests(*names), clients=3, seconds=0.3)
    assert window.broken == 0
    assert len(window.answers) >= len(window.latencies) > 10
    assert {index for index, _, _ in window.answers} == {0, 1, 2}
    assert all(body.decode() == names[index] for index, _, body in window.answers)
    assert min(window.latencies) >= 0.002


def test_a_connection_that_the_server_closes_is_counted(port: int) -> None:
    assert load.run(port, requests("close"), clients=2, seconds=0.2).broken == 2


def test_what_comes_before_the_window_or_after_it_is_kept_and_not_counted(port: int) -> None:
    window = load.run(port, requests("a"), clients=2, seconds=0.2, lead=0.2)
    assert 0.1 < len(window.latencies) / len(window.answers) < 0.9
