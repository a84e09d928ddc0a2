"""What a server's answers, or their absence, become."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from phytoflow.errors import TrackingError
from phytoflow.system.ports import free_port
from phytoflow.tracking.rest.api import connect, get

_ANSWERS = {
    "absent": (404, b'{"error_code": "RESOURCE_DOES_NOT_EXIST"}'),
    "page": (404, b"<h1>Not found</h1>"),
    "broken": (500, b""),
    "text": (200, b"no JSON"),
    "good": (200, b'{"runs": []}'),
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = _ANSWERS[self.path.rpartition("/")[2]]
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


async def test_what_mlflow_does_not_have_is_none(url: str) -> None:
    async with connect(url) as client:
        assert await get(client, "good", {}) == {"runs": []}
        assert await get(client, "absent", {}) is None


@pytest.mark.parametrize(
    ("path", "why"), [("page", "answers 404"), ("broken", "answers 500"), ("text", "not one of MLflow")]
)
async def test_a_server_that_is_not_mlflow_is_an_error(url: str, path: str, why: str) -> None:
    with pytest.raises(TrackingError, match=why):
        async with connect(url) as client:
            await get(client, path, {})


async def test_a_server_that_is_away_is_named_without_its_password() -> None:
    with pytest.raises(TrackingError) as caught:
        async with connect(f"http://user:secret@127.0.0.1:{free_port()}") as client:
            await get(client, "good", {})
    assert "MLflow at http://127.0.0.1" in caught.value.message and "secret" not in caught.value.message


@pytest.mark.parametrize("address", ["nonsense", "ftp://127.0.0.1"])
async def test_an_address_that_is_none_is_an_error(address: str) -> None:
    with pytest.raises(TrackingError):
        async with connect(address) as client:
            await get(client, "good", {})
