"""Faults of gRPC calls become statuses."""

from __future__ import annotations

import re

import grpc
import httpx
import pytest

from tests.support.services.servers import Server

METHOD = "/inference.GRPCInferenceService/ModelInfer"


def call(server: Server, content: bytes) -> grpc.RpcError:
    with grpc.insecure_channel(server.grpc) as channel, pytest.raises(grpc.RpcError) as refused:
        channel.unary_unary(METHOD)(content, timeout=10)
    return refused.value


@pytest.mark.parametrize("content", [b"\xff\xff\xff", b"\x0a\x50short", b"no message at all"])
def test_bytes_that_are_no_message_are_the_clients_mistake(server: Server, content: bytes) -> None:
    refused = call(server, content)
    assert refused.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert refused.details() == "the message is malformed"


def test_they_are_counted_and_leave_no_traceback(server: Server) -> None:
    counter, logged = malformed(server), server.log.read_text()
    call(server, b"\xff\xff\xff")
    assert "Traceback" not in server.log.read_text()[len(logged) :]
    assert malformed(server) == counter + 1


def malformed(server: Server) -> float:
    text = httpx.get(f"{server.url}/metrics").text
    values = re.findall(r'^prediction_errors_total\{code="4xx",reason="malformed"\} (\S+)$', text, re.M)
    return float(values[0])


def test_an_empty_message_names_no_model(server: Server) -> None:
    assert call(server, b"").code() is grpc.StatusCode.NOT_FOUND
