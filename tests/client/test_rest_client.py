"""The REST clients against servers that misbehave in known ways; the real predictor is in tests/serving."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from phytoflow.client.prediction import RefusedError
from phytoflow.client.rest_client import AsyncClient, Client
from phytoflow.errors import ServingError
from phytoflow.system.ports import free_port


def answer(count: int) -> bytes:
    rows = {
        "probabilities": [0.2, 0.8],
        "labels": ["rust", "scab"],
        "scores": [0.8, 0.2],
        "milliseconds": [3.5],
    }
    outputs = [{"name": k, "shape": [count, len(v)], "data": v * count} for k, v in rows.items()]
    return json.dumps({"model_version": "7", "outputs": outputs}).encode()


class Fake:
    """Gives prepared (status, body) answers in turn, then real ones; remembers what it was sent."""

    def __init__(self) -> None:
        self.prepared: list[tuple[int, bytes]] = []
        self.photos: list[int] = []
        self.top_k: list[int | None] = []

    def reply(self, head: dict, raw: bytes) -> tuple[int, bytes]:
        if self.prepared:
            return self.prepared.pop(0)
        count = head["inputs"][0]["shape"][0]
        assert head["inputs"][0]["parameters"]["binary_data_size"] == len(raw)
        self.photos.append(count)
        self.top_k.append(head.get("parameters", {}).get("top_k"))
        return 200, answer(count)


@pytest.fixture
def fake() -> Iterator[tuple[Fake, str]]:
    state = Fake()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            length = int(self.headers["Inference-Header-Content-Length"])
            status, content = state.reply(json.loads(body[:length]), body[length:])
            self.send_response(status)
            self.send_header("Retry-After", "0")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield state, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


def test_answers_are_typed(fake: tuple[Fake, str], tmp_path: Path) -> None:
    (tmp_path / "leaf.jpg").write_bytes(b"photo")
    with Client(fake[1]) as client:
        first, second = client.predict([b"photo", tmp_path / "leaf.jpg"], top_k=2)
    assert first == second
    assert (first.label, first.score, first.labels) == ("rust", 0.8, ("rust", "scab"))
    assert (first.probabilities, first.milliseconds, first.model_version) == ((0.2, 0.8), 3.5, "7")
    assert fake[0].top_k == [2]


def test_many_photos_go_in_several_requests(fake: tuple[Fake, str]) -> None:
    with Client(fake[1], max_photos_per_request=4) as client:
        assert len(client.predict([b"x"] * 10)) == 10
    assert fake[0].photos == [4, 4, 2]


def test_no_photos_ask_nothing(fake: tuple[Fake, str]) -> None:
    with Client(fake[1]) as client:
        assert client.predict([]) == []


def test_overload_is_tried_again(fake: tuple[Fake, str]) -> None:
    fake[0].prepared = [(503, b"{}"), (503, b"{}")]
    with Client(fake[1], retries=3) as client:
        assert len(client.predict([b"x"])) == 1


def test_overload_that_stays_is_said(fake: tuple[Fake, str]) -> None:
    fake[0].prepared = [(503, b'{"error": "9 photos wait", "reason": "overloaded"}')] * 3
    with Client(fake[1], retries=2) as client, pytest.raises(RefusedError, match="9 photos wait") as caught:
        client.predict([b"x"])
    assert (caught.value.status, caught.value.reason) == (503, "overloaded")


def test_a_bad_photo_is_not_tried_again(fake: tuple[Fake, str]) -> None:
    fake[0].prepared = [(422, b'{"error": "photo 0: truncated", "reason": "truncated"}')]
    with Client(fake[1]) as client, pytest.raises(RefusedError, match="photo 0: truncated") as caught:
        client.predict([b"x"])
    assert (caught.value.status, caught.value.reason) == (422, "truncated")


@pytest.mark.parametrize("body", [b"<html>", b"{}", b'{"outputs": []}', b"[]"])
def test_another_server_is_recognised(fake: tuple[Fake, str], body: bytes) -> None:
    fake[0].prepared = [(200, body)]
    with Client(fake[1]) as client, pytest.raises(ServingError, match="unexpected answer"):
        client.predict([b"x"])


def test_nobody_there() -> None:
    with Client(f"http://127.0.0.1:{free_port()}", retries=1) as client:
        assert not client.ready()
        with pytest.raises(ServingError, match="cannot be reached"):
            client.predict([b"x"])


async def test_async_keeps_the_order_and_tries_again(fake: tuple[Fake, str]) -> None:
    fake[0].prepared = [(503, b"{}")]
    async with AsyncClient(fake[1], max_photos_per_request=3) as client:
        assert len(await client.predict([b"x"] * 8)) == 8
    assert sorted(fake[0].photos) == [2, 3, 3]


async def test_async_nobody_there() -> None:
    async with AsyncClient(f"http://127.0.0.1:{free_port()}", retries=1) as client:
        with pytest.raises(ServingError, match="cannot be reached"):
            await client.predict([b"x"])
