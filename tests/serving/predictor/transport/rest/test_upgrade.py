"""Offers to switch to another protocol are ignored, as Java's HttpClient and ``curl --http2`` make them."""

from __future__ import annotations

import asyncio
import json
import socket
from base64 import b64encode
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvicorn
from uvicorn.server import ServerState

from serving.predictor.transport.rest.upgrade import UpgradeIgnoringProtocol
from tests.support.make_bundle import pictures
from tests.support.raw_http import receive
from tests.support.services.servers import Server

B64 = [b64encode(photo.content).decode() for photo in pictures(3)]
V2 = json.dumps({"inputs": [{"name": "photos", "datatype": "BYTES", "shape": [3], "data": B64}]}).encode()
V1 = json.dumps({"instances": B64}).encode()
OFFER = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA")


def offering(path: str, body: bytes, *more: str, offer: tuple[str, ...] = OFFER) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "Host: leaf", f"Content-Length: {len(body)}", *offer, *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Recorder(asyncio.Transport):
    """Stands for the connection; holds what was written to it."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed = b"", False

    def write(self, data: Any) -> None:
        self.written += data

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return default


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Answers with the path, the names of the headers and the body."""
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message["body"], message["more_body"]
    names = [name.decode() for name, _ in scope["headers"]]
    content = json.dumps([scope["path"], names, body.decode()]).encode()
    headers = [(b"content-length", str(len(content)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": content})


async def exchange(*chunks: bytes) -> bytes:
    """What the protocol writes for chunks that arrive one after the other."""
    config = uvicorn.Config(echo, ws="none", lifespan="off")
    config.load()
    state = ServerState()
    protocol, transport = UpgradeIgnoringProtocol(config, state, {}), Recorder()
    protocol.connection_made(transport)
    for chunk in chunks:
        protocol.data_received(chunk)
    while state.tasks:
        await asyncio.gather(*state.tasks)
    protocol.connection_lost(None)
    return transport.written


async def test_wherever_the_request_is_divided_it_is_read_whole() -> None:
    sent = offering("/echo", b"hello", "X-Own: 1")
    expected = ["/echo", ["host", "content-length", "x-own"], "hello"]
    for place in range(1, len(sent)):
        written = await exchange(sent[:place], sent[place:])
        assert json.loads(written.partition(b"\r\n\r\n")[2]) == expected, place
    whole = await exchange(*(sent[at : at + 1] for at in range(len(sent))))
    assert json.loads(whole.partition(b"\r\n\r\n")[2]) == expected


async def test_other_tokens_of_connection_are_kept() -> None:
    offer = ("Connection: keep-alive, Upgrade", "Upgrade: h2c")
    written = await exchange(offering("/echo", b"x", offer=offer))
    assert json.loads(written.partition(b"\r\n\r\n")[2])[1] == ["host", "content-length", "connection"]


async def test_without_an_offer_nothing_changes() -> None:
    written = await exchange(offering("/echo", b"x", offer=()))
    assert json.loads(written.partition(b"\r\n\r\n")[2]) == ["/echo", ["host", "content-length"], "x"]


@pytest.fixture
def client(server: Server) -> Iterator[socket.socket]:
    place = urlsplit(server.url)
    with socket.create_connection((place.hostname, place.port), timeout=20) as made:
        yield made


@pytest.mark.parametrize(("path", "body"), [("/v2/models/leaf/infer", V2), ("/v1/models/leaf:predict", V1)])
def test_the_predictor_answers_over_http_1(client: socket.socket, path: str, body: bytes) -> None:
    client.sendall(offering(path, body))
    status, headers, content, _ = receive(client)
    assert status == 200, content
    assert "upgrade" not in headers and "connection" not in headers
    assert json.loads(content).get("outputs") or json.loads(content)["predictions"]


def test_the_connection_goes_on(client: socket.socket) -> None:
    get = b"GET /v2/health/live HTTP/1.1\r\nHost: leaf\r\n\r\n"
    client.sendall(offering("/v2/models/leaf/infer", V2, "X-Request-Id: a") + get)
    client.sendall(offering("/v2/models/leaf/infer", V2, "X-Request-Id: b"))
    rest, ids = b"", []
    for _ in range(3):
        status, _, content, rest = receive(client, rest)
        assert status == 200
        ids.append(json.loads(content).get("id") if b"outputs" in content else None)
    assert ids == ["a", None, "b"]


def test_an_upgrade_without_a_body_is_answered(client: socket.socket) -> None:
    lines = ["GET /v2/health/live HTTP/1.1", "Host: leaf", "Connection: Upgrade", "Upgrade: websocket"]
    client.sendall("\r\n".join([*lines, "", ""]).encode())
    assert receive(client).status == 200


def test_close_is_still_obeyed(client: socket.socket) -> None:
    client.sendall(
        offering("/v2/models/leaf/infer", V2, offer=("Connection: close, Upgrade", "Upgrade: h2c"))
    )
    status, headers, _, _ = receive(client)
    assert (status, headers["connection"]) == (200, "close")
    assert client.recv(1) == b""


def test_connect_is_refused(client: socket.socket) -> None:
    client.sendall(b"CONNECT leaf:80 HTTP/1.1\r\nHost: leaf\r\n\r\n")
    assert client.recv(65536).startswith(b"HTTP/1.1 400 ")
