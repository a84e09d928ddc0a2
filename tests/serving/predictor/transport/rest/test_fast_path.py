"""Questions on raw connections: whole, in pieces, in a row, of clients that leave."""

from __future__ import annotations

import json
import socket
import struct
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from phytoflow.client.rest_codec import encode
from tests.support.make_bundle import pictures
from tests.support.raw_http import receive
from tests.support.services.servers import LIMITS, Server

BODY, HEADERS = encode([pictures(1)[0].content], None)


@pytest.fixture
def client(server: Server) -> Iterator[socket.socket]:
    affinity = urlsplit(server.url)
    with socket.create_connection((affinity.hostname, affinity.port), timeout=10) as made:
        yield made


def question(
    *more: str, body: bytes = BODY, path: str = "/v2/models/leaf/infer", version: str = "1.1"
) -> bytes:
    named = [f"{name}: {value}" for name, value in HEADERS.items()]
    length = (
        [] if any(line.startswith("Transfer-Encoding") for line in more) else [f"Content-Length: {len(body)}"]
    )
    lines = [f"POST {path} HTTP/{version}", "Host: leaf", *named, *length, *more]
    return "\r\n".join([*lines, "", ""]).encode() + body


def labels(body: bytes) -> list[str]:
    return next(o["data"] for o in json.loads(body)["outputs"] if o["name"] == "labels")


def test_an_answer_has_what_uvicorns_have(server: Server, client: socket.socket) -> None:
    client.sendall(question())
    status, headers, body, _ = receive(client)
    other = httpx.get(server.model)
    assert status == 200 and labels(body)
    assert (
        headers.keys() >= {"date", "server", "content-type", "content-length"} and "connection" not in headers
    )
    assert {name: headers[name] for name in ("server", "content-type")} == {
        name: other.headers[name] for name in ("server", "content-type")
    }


def test_head_and_body_leave_together(client: socket.socket) -> None:
    client.sendall(question())
    client.settimeout(10)
    first = client.recv(2**20)
    assert receive(client, first)[2] == first.partition(b"\r\n\r\n")[2]


def test_a_question_may_come_byte_by_byte(client: socket.socket) -> None:
    sent = question()
    for at in range(200):
        client.sendall(sent[at : at + 1])
    time.sleep(0.05)
    client.sendall(sent[200:])
    assert receive(client)[0] == 200


def test_a_question_may_come_in_chunks(client: socket.socket) -> None:
    half = len(BODY) // 2
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (BODY[:half], BODY[half:]))
    client.sendall(question("Transfer-Encoding: chunked", body=chunks + b"0\r\n\r\n"))
    assert receive(client)[0] == 200


def test_questions_in_a_row_are_answered_in_their_order(client: socket.socket) -> None:
    asked = [question(f"X-Request-Id: q{number}") for number in range(3)]
    other = b"GET /v2/health/live HTTP/1.1\r\nHost: leaf\r\n\r\n"
    client.sendall(asked[0] + asked[1] + other + asked[2])
    rest, seen = b"", []
    for _ in range(4):
        status, _, body, rest = receive(client, rest)
        assert status == 200
        seen.append(json.loads(body).get("id"))
    assert seen == ["q0", "q1", None, "q2"]


def test_a_connection_serves_many_questions(client: socket.socket) -> None:
    for _ in range(3):
        client.sendall(question())
        assert receive(client)[0] == 200
        client.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: leaf\r\n\r\n")
        assert receive(client)[0] == 200


@pytest.mark.parametrize(("more", "version"), [(("Connection: close",), "1.1"), ((), "1.0")])
def test_a_connection_that_is_to_end_ends(client: socket.socket, more: tuple[str, ...], version: str) -> None:
    client.sendall(question(*more, version=version))
    status, headers, _, _ = receive(client)
    assert (status, headers["connection"]) == (200, "close")
    assert client.recv(1) == b""


def test_a_client_that_waits_for_a_word_gets_it(client: socket.socket) -> None:
    sent = question("Expect: 100-continue")
    client.sendall(sent[: -len(BODY)])
    assert client.recv(65536).startswith(b"HTTP/1.1 100 ")
    client.sendall(BODY)
    assert receive(client)[0] == 200


def test_what_says_that_it_is_too_large_is_refused_unread(client: socket.socket) -> None:
    big = question(body=b"x" * (LIMITS["max_body_bytes"] + 1))
    client.sendall(big[:2000])
    status, _, body, _ = receive(client)
    assert status == 413 and json.loads(body)["reason"] == "too_large"
    client.sendall(big[2000:])  # and the connection goes on
    client.sendall(question())
    assert receive(client)[0] == 200


def test_what_is_too_large_unsaid_is_refused_too(client: socket.socket) -> None:
    body = (
        b"%x\r\n" % (LIMITS["max_body_bytes"] + 1) + b"x" * (LIMITS["max_body_bytes"] + 1) + b"\r\n0\r\n\r\n"
    )
    client.sendall(question("Transfer-Encoding: chunked", body=body))
    assert receive(client)[0] == 413


def test_bytes_of_those_who_left_are_given_back(server: Server) -> None:
    """More than the budget, in halves of questions whose clients leave: the next one finds room."""
    affinity, sent = urlsplit(server.url), question(body=b"x" * LIMITS["max_body_bytes"])
    for _ in range(200):  # 192 MB of budget, two a question
        with socket.create_connection((affinity.hostname, affinity.port), timeout=10) as made:
            made.sendall(sent[:-10])
    time.sleep(0.2)
    assert httpx.post(f"{server.model}/infer", content=BODY, headers=HEADERS).status_code == 200


def test_who_left_after_questions_in_a_row_leaves_no_trace(server: Server) -> None:
    affinity, before = urlsplit(server.url), server.log.read_text()
    for milliseconds in range(40):  # the first, the second or the third is in progress
        with socket.create_connection((affinity.hostname, affinity.port), timeout=10) as made:
            made.sendall(question() * 3)
            time.sleep(milliseconds / 1000)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
    time.sleep(0.5)
    assert httpx.post(f"{server.model}/infer", content=BODY, headers=HEADERS).status_code == 200
    told = [line for line in server.log.read_text()[len(before) :].splitlines() if '"level":"ERROR"' in line]
    assert not told


def test_nonsense_is_refused(client: socket.socket) -> None:
    client.sendall(b"POST /v2/models/leaf/infer HTTP/1.1\r\nContent-Length: many\r\n\r\n")
    assert client.recv(65536).startswith(b"HTTP/1.1 400 ")
