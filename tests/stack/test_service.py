"""When a service is healthy."""

from __future__ import annotations

import http.server
import os
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.stack.service import Service, command_health, fresh_file_health, http_health


class _Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/ready" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stays silent."""


@pytest.fixture
def url() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), _Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_url_is_healthy_while_it_answers_200(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")  # a check of this machine goes past any proxy
    assert http_health(f"{url}/ready")()
    assert not http_health(f"{url}/starting")()
    assert not http_health("http://127.0.0.1:1/ready")()
    assert not http_health("no url")()


def test_a_file_is_healthy_while_it_is_touched(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    check = fresh_file_health(path, 5)
    assert not check()
    path.touch()
    assert check()
    os.utime(path, (time.time() - 6,) * 2)
    assert not check()


def test_a_command_is_healthy_while_it_ends_well() -> None:
    assert command_health(["true"])()
    assert not command_health(["false"])()
    assert not command_health(["/no/such/program"])()
    assert command_health(["sh", "-c", 'test "$KEY" = 1'], {"KEY": "1"})()


def test_a_description_leaves_out_what_follows_the_first_words() -> None:
    service = Service("redis", ("redis-server", "--port", "7", "--dir", "--requirepass", "secret"), bool)
    assert service.describe() == {"name": "redis", "command": "redis-server --port 7 --dir"}
