"""More requests that get no answer, by rule: wrong values in every field, damaged photos, broken HTTP."""

from __future__ import annotations

import copy
import io
import json
import socket
import struct
from typing import Any

import grpc
import httpx
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as stubs
from PIL import Image

from phytoflow.client.rest_codec import encode, length_prefixed
from phytoflow.data.images.decode import decode
from phytoflow.protocol.grpc_messages import METHOD
from tests.serving.predictor.integration.test_malformed import (
    B64,
    BINARY_CASES,
    GOOD,
    GRPC_CASES,
    JSON_CASES,
    V1_CASES,
    check,
    given,
)
from tests.support.services.servers import LIMITS, Server

VALUES: dict[str, Any] = {
    "null": None,
    "true": True,
    "minus one": -1,
    "a fraction": 0.5,
    "a huge number": 2**63,
    "an empty string": "",
    "a long string": "x" * 20_000,
    "an empty list": [],
    "a list of lists": [[[[1]]]],
    "an object": {"a": {"b": [1]}},
    "control characters": "\u0000\ud7ff\u202e",
}
WHOLE: dict[str, Any] = {
    "id": "1",
    "inputs": [{"name": "x", "shape": [1], "datatype": "BYTES", "data": [B64], "parameters": {}}],
    "outputs": [{"name": "labels", "parameters": {"binary_data": False}}],
    "parameters": {"top_k": 1, "tta": "none"},
}
PLACES = [
    ("id",),
    ("inputs",),
    ("outputs",),
    ("parameters",),
    ("parameters", "top_k"),
    ("parameters", "tta"),
    ("inputs", 0),
    ("inputs", 0, "name"),
    ("inputs", 0, "shape"),
    ("inputs", 0, "datatype"),
    ("inputs", 0, "data"),
    ("inputs", 0, "data", 0),
    ("inputs", 0, "parameters"),
    ("outputs", 0, "name"),
    ("outputs", 0, "parameters", "binary_data"),
]
ALLOWED = {  # what the protocol lets pass
    (("id",), "null"),
    (("id",), "an empty string"),
    (("id",), "control characters"),
    (("parameters", "top_k"), "a huge number"),  # as many labels as there are classes
    (("outputs",), "null"),
    (("outputs",), "an empty list"),
    (("inputs", 0, "shape"), "an empty list"),  # a scalar: one photo
    (("inputs", 0, "name"), "an empty string"),
    (("inputs", 0, "name"), "control characters"),
    (("inputs", 0, "parameters"), "an object"),
    (("outputs", 0, "parameters", "binary_data"), "null"),
    (("outputs", 0, "parameters", "binary_data"), "true"),
}
FIELDS = [(place, value) for place in PLACES for value in VALUES]


@pytest.mark.parametrize(("place", "value"), FIELDS, ids=lambda part: str(part).replace("'", ""))
def test_a_wrong_value_in_any_field(server: Server, place: tuple[Any, ...], value: str) -> None:
    body = copy.deepcopy(WHOLE)
    target: Any = body
    for step in place[:-1]:
        target = target[step]
    target[place[-1]] = VALUES[value]
    response = httpx.post(f"{server.model}/infer", content=json.dumps(body).encode())
    if (place, value) in ALLOWED:
        assert response.status_code == 200, response.text
    else:
        assert response.status_code in (400, 413, 422), response.text
        check(response, response.status_code, "")


def saved(kind: str) -> bytes:
    buffer = io.BytesIO()
    decode(GOOD).save(buffer, kind)
    return buffer.getvalue()


KINDS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
DAMAGES = {
    "eight bytes": lambda photo: photo[:8],
    "a tenth": lambda photo: photo[: len(photo) // 10],
    "half": lambda photo: photo[: len(photo) // 2],
    "a header of noise": lambda photo: photo[:12] + b"\xa5" * 40 + photo[52:],
}
DAMAGED = {(kind, damage): DAMAGES[damage](saved(kind)) for kind in KINDS for damage in DAMAGES}


def readable(photo: bytes) -> bool:
    try:
        with Image.open(io.BytesIO(photo)) as image:
            image.load()
    except Exception:
        return False
    return True


@pytest.mark.parametrize("case", DAMAGED, ids=" ".join)
def test_a_damaged_photo(server: Server, case: tuple[str, str]) -> None:
    photo = DAMAGED[case]
    assert not readable(photo)
    body, headers = encode([GOOD, photo], None)
    response = httpx.post(f"{server.model}/infer", content=body, headers=headers)
    assert response.status_code in (413, 422), response.text
    check(response, response.status_code, "photo 1: ")
    request = pb.ModelInferRequest(model_name="leaf", inputs=[given([1])])
    request.raw_input_contents.append(length_prefixed([photo]))
    with grpc.insecure_channel(server.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        stubs.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=20)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "photo 0: " in caught.value.details()


INFER = b"POST /v2/models/leaf/infer HTTP/1.1\r\nHost: x\r\n"
HTTP = {
    "no method": b"\r\n\r\n",
    "noise": bytes(range(1, 200)) + b"\r\n\r\n",
    "an unknown version": b"GET / HTTP/9.9\r\n\r\n",
    "a negative length": INFER + b"Content-Length: -1\r\n\r\n",
    "a length of words": INFER + b"Content-Length: ten\r\n\r\n",
    "two lengths": INFER + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n12",
    "a huge length": INFER + b"Content-Length: 99999999999999999999\r\n\r\n",
    "a chunk of no size": INFER + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    "a header of a megabyte": INFER + b"X: " + b"y" * 2**20 + b"\r\n\r\n",
    "a path beyond utf-8": b"GET /v2/models/%ff%fe HTTP/1.1\r\nHost: x\r\n\r\n",
    "an escaped path": b"GET /v2/models/..%2f..%2fetc HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("case", HTTP)
def test_broken_http(server: Server, case: str) -> None:
    status = raw(server, HTTP[case])
    assert status is None or 400 <= status < 500


@pytest.mark.parametrize("sent", [INFER, INFER + b"Content-Length: 100\r\n\r\n{", b"POST /v2/mod"])
def test_a_client_that_leaves_in_the_middle(server: Server, sent: bytes) -> None:
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as connection:
        connection.sendall(sent)
    assert httpx.get(f"{server.model}/ready").status_code == 200
    assert "Traceback" not in server.log.read_text(errors="replace")


def raw(server: Server, content: bytes) -> int | None:
    """Status of the answer to bytes sent as they are; None: the connection was closed."""
    host, port = server.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=10) as connection:
        try:
            connection.sendall(content)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(4096)
        except OSError:
            return None
    return int(answer.split()[1]) if answer else None


MESSAGES = {
    "noise": b"\xff" * 100,
    "a cut message": pb.ModelInferRequest(model_name="leaf", inputs=[given([1])]).SerializeToString()[:-1],
    "text that is no text": b"\x0a\x04\xff\xfe\xff\xfe",
    "a length beyond the end": b"\x2a\xff\xff\xff\xff\x0f",
    "deep groups": b"\x0b" * 1000,
}


@pytest.mark.parametrize("case", MESSAGES)
def test_broken_grpc(server: Server, case: str) -> None:
    with grpc.insecure_channel(server.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        channel.unary_unary(METHOD)(MESSAGES[case], timeout=20)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details() == "the message is malformed"


def test_a_grpc_message_over_the_limit(server: Server) -> None:
    request = pb.ModelInferRequest(model_name="leaf", inputs=[given([1])])
    request.raw_input_contents.append(b"\0" * (LIMITS["max_body_bytes"] + 2**21))
    with grpc.insecure_channel(server.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        stubs.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=20)
    assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


SHAPES = ([], [0], [2], [-1], [2**40], [1, 1, 1, 1, 1], [1, 2, 2, 3], [1, 3, 64, 64])
TYPES = ("BYTES", "UINT8", "FP32", "BOOL", "FP64", "", "bytes")
TENSORS = [(datatype, shape) for datatype in TYPES for shape in SHAPES]


@pytest.mark.parametrize(("datatype", "shape"), TENSORS, ids=str)
def test_a_grpc_tensor_of_other_bytes(server: Server, datatype: str, shape: list[int]) -> None:
    request = pb.ModelInferRequest(model_name="leaf", inputs=[given(shape, datatype)])
    request.raw_input_contents.append(struct.pack("<I", 3) + b"abc")
    with grpc.insecure_channel(server.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        stubs.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=20)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT, caught.value.details()


def test_there_are_at_least_two_hundred_and_the_server_lives(server: Server) -> None:
    by_hand = sum(map(len, (JSON_CASES, BINARY_CASES, V1_CASES, GRPC_CASES)))
    by_rule = len(FIELDS) - len(ALLOWED) + 2 * len(DAMAGED) + len(HTTP) + len(MESSAGES) + len(TENSORS)
    assert by_hand + by_rule >= 200
    body, headers = encode([GOOD], None)
    assert httpx.post(f"{server.model}/infer", content=body, headers=headers).status_code == 200
    assert server.process.poll() is None
    assert "Traceback" not in server.log.read_text(errors="replace")
