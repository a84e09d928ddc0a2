"""Requests that get no answer: the status fits, the photo is named, nothing is echoed, the server lives."""

from __future__ import annotations

import base64
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as stubs

from phytoflow.client.rest_codec import length_prefixed
from tests.support.make_bundle import SIDE, encode, pictures
from tests.support.services.servers import LIMITS, Server

GOOD = pictures(1)[0].content
B64 = base64.b64encode(GOOD).decode()
SECRET = "c2VjcmV0LXBheWxvYWQ"  # no answer may hold it
BIG_PNG = encode(np.zeros((1100, 1100, 3), np.uint8))  # small in bytes, too many pixels
TRUNCATED = base64.b64encode(GOOD[: len(GOOD) // 2]).decode()
TEXT = base64.b64encode(b"this is no photo, " * 10).decode()
HEADER = struct.pack(">4sIIBBBBB", b"IHDR", 30000, 30000, 8, 2, 0, 0, 0)
BOMB = b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + HEADER + struct.pack(">I", zlib.crc32(HEADER))
BOMB += struct.pack(">I4s", 100, b"IDAT") + b"\0" * 100


def photos(data: Any, shape: Any = None, datatype: Any = "BYTES", **rest: Any) -> dict[str, Any]:
    count = len(data) if isinstance(data, list) else 1
    shape = [count] if shape is None else shape
    return {"inputs": [{"name": "photos", "shape": shape, "datatype": datatype, "data": data, **rest}]}


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode()


JSON_CASES: dict[str, tuple[Any, int, str]] = {
    "not json": (b"{" + SECRET.encode(), 400, "not JSON"),
    "empty body": (b"", 400, "not JSON"),
    "a list": ([1, 2], 400, "object"),
    "a number": (7, 400, "object"),
    "null": (None, 400, "object"),
    "nested too deep": (b"[" * 100_000, 400, "not JSON"),
    "not utf-8": (b'{"id": "\xff\xfe"}', 400, "not JSON"),
    "no inputs": ({}, 400, "inputs"),
    "inputs is a string": ({"inputs": SECRET}, 400, "inputs"),
    "empty inputs": ({"inputs": []}, 400, "0 inputs"),
    "two inputs": ({"inputs": photos([B64])["inputs"] * 2}, 400, "2 inputs"),
    "input is a string": ({"inputs": [SECRET]}, 400, "inputs.0"),
    "no name": ({"inputs": [{"shape": [1], "datatype": "BYTES", "data": [B64]}]}, 400, "inputs.0.name"),
    "no shape": ({"inputs": [{"name": "x", "datatype": "BYTES", "data": [B64]}]}, 400, "inputs.0.shape"),
    "no data": ({"inputs": [{"name": "x", "shape": [1], "datatype": "BYTES"}]}, 400, "data"),
    "data is null": (photos(None), 400, "data"),
    "data is a string": (photos(SECRET), 400, "list"),
    "data is an object": (photos({"b64": B64}), 400, "list"),
    "shape of floats": (photos([B64], [1.0]), 400, "shape"),
    "shape of strings": (photos([B64], ["1"]), 400, "shape"),
    "negative shape": (photos([B64], [-1]), 400, "shape"),
    "shape too long": (photos([B64], [1, 1, 1, 1, 1]), 400, "shape"),
    "huge shape": (photos([B64], [2**62]), 413, "photos"),
    "shape of zero": (photos([], [0]), 400, "no photos"),
    "shape disagrees": (photos([B64, B64], [1]), 400, "holds 2"),
    "datatype unknown": (photos([1], [1], "INT64"), 400, "BYTES, UINT8 or FP32"),
    "datatype is a number": (photos([1], [1], 5), 400, "datatype"),
    "too many photos": (photos([B64] * 17), 413, "17 photos"),
    "not base64": (photos([B64, "!" + SECRET + "!"]), 400, "photo 1: not valid base64"),
    "unpadded base64": (photos([B64.rstrip("=") + "A" * (4 - len(B64.rstrip("=")) % 4 + 1)]), 400, "photo 0"),
    "photo is a number": (photos([5]), 400, "photo 0: not a base64"),
    "photo is null": (photos([B64, None]), 400, "photo 1"),
    "empty photo": (photos([B64, ""]), 422, "photo 1: the file is empty"),
    "text": (photos([TEXT]), 422, "photo 0: not an image"),
    "truncated": (photos([B64, B64, TRUNCATED]), 422, "photo 2: truncated"),
    "two bad photos": (photos([TEXT, B64, TEXT]), 422, "photo 2"),
    "bomb": (photos([b64(BOMB)]), 413, "photo 0: 30000 x 30000 pixels"),
    "too many pixels": (photos([b64(BIG_PNG)]), 413, "1100 x 1100"),
    "too many bytes": (photos([b64(b"\xff" * (LIMITS["max_photo_bytes"] + 1))]), 413, "photo 0"),
    "a GIF": (photos([b64(b"GIF89a" + b"\0" * 50)]), 422, "photo 0"),
    "top_k zero": (photos([B64]) | {"parameters": {"top_k": 0}}, 400, "top_k"),
    "top_k a string": (photos([B64]) | {"parameters": {"top_k": "2"}}, 400, "top_k"),
    "top_k true": (photos([B64]) | {"parameters": {"top_k": True}}, 400, "top_k"),
    "unknown parameter": (photos([B64]) | {"parameters": {"tempreature": 2}}, 400, "unknown parameter"),
    "parameters a list": (photos([B64]) | {"parameters": [1]}, 400, "parameters"),
    "unknown output": (photos([B64]) | {"outputs": [{"name": "logits"}]}, 400, "no output 'logits'"),
    "outputs a string": (photos([B64]) | {"outputs": SECRET}, 400, "outputs"),
    "binary_data a string": (
        photos([B64]) | {"outputs": [{"name": "labels", "parameters": {"binary_data": "x"}}]},
        400,
        "binary_data",
    ),
    "id a number": (photos([B64]) | {"id": 5}, 400, "id"),
    "UINT8 of two axes": (photos([1, 2], [1, 2], "UINT8"), 400, "[N, H, W, 3]"),
    "UINT8 of four channels": (photos([0] * 16, [1, 2, 2, 4], "UINT8"), 400, "[N, H, W, 3]"),
    "UINT8 cut short": (photos([0] * 11, [1, 2, 2, 3], "UINT8"), 400, "means 12 values"),
    "UINT8 of 256": (photos([256] * 12, [1, 2, 2, 3], "UINT8"), 400, "0..255"),
    "UINT8 negative": (photos([-1] * 12, [1, 2, 2, 3], "UINT8"), 400, "0..255"),
    "UINT8 of floats": (photos([0.5] * 12, [1, 2, 2, 3], "UINT8"), 400, "integers"),
    "UINT8 of strings": (photos(["1"] * 12, [1, 2, 2, 3], "UINT8"), 400, "integers"),
    "UINT8 of huge numbers": (photos([2**70] * 12, [1, 2, 2, 3], "UINT8"), 400, ""),
    "UINT8 ragged": (photos([[1, 2], [3]], [1, 1, 1, 3], "UINT8"), 400, "ragged"),
    "UINT8 too many pixels": (photos([0], [1, 2000, 2000, 3], "UINT8"), 413, "2000 x 2000"),
    "FP32 of another size": (photos([0.0] * 12, [1, 3, 2, 2], "FP32"), 400, f"{SIDE}, {SIDE}"),
    "FP32 cut short": (photos([0.0], [1, 3, SIDE, SIDE], "FP32"), 400, "holds 1"),
    "FP32 of nulls": (photos([None] * 3 * SIDE**2, [1, 3, SIDE, SIDE], "FP32"), 400, "numbers"),
    "FP32 of infinities": (photos([1e39] * 3 * SIDE**2, [1, 3, SIDE, SIDE], "FP32"), 400, "infinity"),
    "body too large": (b" " * (LIMITS["max_body_bytes"] + 1), 413, "bytes"),
}


@pytest.mark.parametrize("case", JSON_CASES)
def test_json(server: Server, case: str) -> None:
    body, status, words = JSON_CASES[case]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Content-Type": "application/json"}
    check(httpx.post(f"{server.model}/infer", content=content, headers=headers), status, words)


def head(**parameters: Any) -> bytes:
    fields = {"name": "x", "shape": [1], "datatype": "BYTES", "parameters": parameters}
    return json.dumps({"inputs": [fields]}).encode()


RAW = length_prefixed([GOOD])
PIXELS = json.dumps(
    {
        "inputs": [
            {"name": "x", "shape": [1, 9, 9, 3], "datatype": "UINT8", "parameters": {"binary_data_size": 5}}
        ]
    }
).encode()

BINARY_CASES: dict[str, tuple[bytes, bytes, str | None, int, str]] = {
    "header not a number": (head(binary_data_size=len(RAW)), RAW, "ten", 400, "Content-Length"),
    "header negative": (head(binary_data_size=len(RAW)), RAW, "-5", 400, "Content-Length"),
    "header too long": (head(binary_data_size=len(RAW)), RAW, "999999999", 400, "Content-Length"),
    "header zero": (head(binary_data_size=len(RAW)), RAW, "0", 400, "Content-Length"),
    "header cuts the json": (head(binary_data_size=len(RAW)), RAW, "10", 400, "not JSON"),
    "header into the binary": (head(binary_data_size=len(RAW)), RAW, "500", 400, "not JSON"),
    "no binary size": (head(), RAW, None, 400, "binary_data_size"),
    "size a string": (head(binary_data_size="9"), RAW, None, 400, "binary_data_size"),
    "size negative": (head(binary_data_size=-1), RAW, None, 400, "binary_data_size"),
    "size too large": (head(binary_data_size=len(RAW) + 1), RAW, None, 400, "left"),
    "bytes left over": (head(binary_data_size=len(RAW)), RAW + b"more", None, 400, "follow"),
    "no length prefix": (head(binary_data_size=len(GOOD)), GOOD, None, 400, "photo 0"),
    "prefix beyond the end": (
        head(binary_data_size=8),
        struct.pack("<I", 2**31) + b"abcd",
        None,
        400,
        "photo 0: 2147483648 bytes announced",
    ),
    "prefix cut short": (head(binary_data_size=len(RAW) + 2), RAW + b"\0\0", None, 400, "photo 1"),
    "nothing": (head(binary_data_size=0), b"", None, 400, "holds 0"),
    "hidden photos": (head(binary_data_size=4 * 20), b"\0" * 80, None, 413, "more than 16"),
    "pixels cut short": (PIXELS, b"12345", None, 400, "means 243 bytes"),
    "text": (head(binary_data_size=14), length_prefixed([b"not a pict"]), None, 422, "photo 0"),
}


@pytest.mark.parametrize("case", BINARY_CASES)
def test_binary(server: Server, case: str) -> None:
    text, raw, length, status, words = BINARY_CASES[case]
    headers = {"Inference-Header-Content-Length": length or str(len(text))}
    check(httpx.post(f"{server.model}/infer", content=text + raw, headers=headers), status, words)


V1_CASES: dict[str, tuple[Any, int, str]] = {
    "not json": (b"instances", 400, "not JSON"),
    "a list": ([B64], 400, "instances"),
    "no instances": ({"inputs": [B64]}, 400, "instances"),
    "instances an object": ({"instances": {"b64": B64}}, 400, "instances"),
    "none": ({"instances": []}, 400, "no photos"),
    "too many": ({"instances": [B64] * 17}, 413, "17 photos"),
    "a number": ({"instances": [3]}, 400, "photo 0"),
    "other object": ({"instances": [{"image": {"url": "http://x"}}]}, 400, "photo 0: not a base64 string"),
    "two named inputs": ({"instances": [{"image": {"b64": B64}, "key": {"b64": B64}}]}, 400, "photo 0"),
    "not base64": ({"instances": [{"b64": "%%%"}]}, 400, "photo 0"),
    "text": ({"instances": [B64, {"b64": TEXT}]}, 422, "photo 1"),
    "parameters a string": ({"instances": [B64], "parameters": "x"}, 400, "parameters"),
}


@pytest.mark.parametrize("case", V1_CASES)
def test_v1(server: Server, case: str) -> None:
    body, status, words = V1_CASES[case]
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    check(httpx.post(f"{server.url}/v1/models/leaf:predict", content=content), status, words)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/v2/models/oak/infer", 404),
        ("POST", "/v1/models/oak:predict", 404),
        ("POST", "/v1/models/leaf:explain", 400),
        ("POST", "/v2/models/leaf/versions/1/infer", 404),
        ("GET", "/v2/models/oak", 404),
        ("GET", "/v2/models/oak/ready", 404),
        ("GET", "/v2/models/leaf/infer", 405),
        ("POST", "/v2/models/" + "x" * 5000 + "/infer", 404),
        ("POST", "/v3", 404),
    ],
)
def test_places_that_are_not(server: Server, method: str, path: str, status: int) -> None:
    assert httpx.request(method, server.url + path, content=b"{}").status_code == status


def test_a_body_without_an_announced_length_is_counted(server: Server) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(100):
            yield b" " * 100_000

    response = httpx.post(f"{server.model}/infer", content=endless())
    assert response.status_code == 413


GRPC_CASES: dict[str, tuple[pb.ModelInferRequest, grpc.StatusCode, str]] = {}


def grpc_case(name: str, status: grpc.StatusCode, words: str, **fields: Any) -> None:
    GRPC_CASES[name] = (pb.ModelInferRequest(**({"model_name": "leaf"} | fields)), status, words)


def given(
    shape: list[int], datatype: str = "BYTES", **contents: Any
) -> pb.ModelInferRequest.InferInputTensor:
    typed = pb.InferTensorContents(**contents) if contents else None
    return pb.ModelInferRequest.InferInputTensor(name="x", shape=shape, datatype=datatype, contents=typed)


INVALID = grpc.StatusCode.INVALID_ARGUMENT
grpc_case("no inputs", INVALID, "0 inputs")
grpc_case("other model", grpc.StatusCode.NOT_FOUND, "", model_name="oak")
grpc_case("text", INVALID, "photo 0: not an image", inputs=[given([1], bytes_contents=[b"text"])])
grpc_case("second is bad", INVALID, "photo 1", inputs=[given([2], bytes_contents=[GOOD, GOOD[:200]])])
grpc_case("empty photo", INVALID, "photo 0: the file is empty", inputs=[given([1], bytes_contents=[b""])])
grpc_case("shape disagrees", INVALID, "holds 1", inputs=[given([2], bytes_contents=[GOOD])])
grpc_case("unknown datatype", INVALID, "", inputs=[given([1], "COMPLEX")])
grpc_case("other datatype", INVALID, "BYTES, UINT8 or FP32", inputs=[given([1], "INT64", int64_contents=[1])])
grpc_case("raw without prefix", INVALID, "photo 0", inputs=[given([1])], raw_input_contents=[GOOD])
grpc_case("raw twice", INVALID, "", inputs=[given([1])], raw_input_contents=[RAW, RAW])
grpc_case("raw and typed", INVALID, "", inputs=[given([1], bytes_contents=[GOOD])], raw_input_contents=[RAW])
grpc_case("too many photos", INVALID, "17 photos", inputs=[given([17], bytes_contents=[GOOD] * 17)])
grpc_case("negative shape", INVALID, "shape", inputs=[given([-1], bytes_contents=[GOOD])])
grpc_case("pixels of 300", INVALID, "0..255", inputs=[given([1, 1, 1, 3], "UINT8", uint_contents=[300] * 3)])
grpc_case(
    "NaN",
    INVALID,
    "NaN",
    inputs=[given([1, 3, SIDE, SIDE], "FP32", fp32_contents=[float("nan")] * 3 * SIDE**2)],
)


@pytest.mark.parametrize("case", GRPC_CASES)
def test_grpc(server: Server, case: str) -> None:
    request, status, words = GRPC_CASES[case]
    with grpc.insecure_channel(server.grpc) as channel, pytest.raises(grpc.RpcError) as caught:
        stubs.GRPCInferenceServiceStub(channel).ModelInfer(request, timeout=20)
    assert caught.value.code() is status, caught.value.details()
    assert words in caught.value.details()


def test_nothing_of_a_photo_is_logged_and_the_server_still_answers(server: Server) -> None:
    body = json.dumps(photos([B64]))
    assert httpx.post(f"{server.model}/infer", content=body).status_code == 200
    log = server.log.read_text(errors="replace")
    assert SECRET not in log
    assert B64[:40] not in log
    assert "Traceback" not in log


def check(response: httpx.Response, status: int, words: str) -> None:
    assert response.status_code == status, response.text
    assert words in response.json()["error"]
    assert len(response.content) < 600
    assert SECRET not in response.text
    assert B64[:40] not in response.text
