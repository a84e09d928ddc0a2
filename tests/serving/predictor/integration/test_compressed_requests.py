"""Compressed requests are read, within the limits of other requests."""

from __future__ import annotations

import gzip
import json
import zlib
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import httpx
import numpy as np
import pytest

from phytoflow.client.rest_codec import length_prefixed
from phytoflow.inference.classifier import Classifier
from tests.support.make_bundle import pictures
from tests.support.services.servers import LIMITS, Server

CONTENTS = [photo.content for photo in pictures(3)]
B64 = [b64encode(content).decode() for content in CONTENTS]
V2: dict[str, Any] = {"inputs": [{"name": "photos", "datatype": "BYTES", "shape": [3], "data": B64}]}
V1 = {"instances": B64}
_MAX_BODY = LIMITS["max_body_bytes"]


@pytest.fixture(scope="module")
def probabilities(offline: Classifier) -> np.ndarray:
    return offline.predict(CONTENTS).probabilities


def raw_deflate(content: bytes) -> bytes:
    """Deflate without zlib's header, as many clients send it."""
    compressor = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return compressor.compress(content) + compressor.flush()


def check_v2(response: httpx.Response, probabilities: np.ndarray) -> None:
    assert response.status_code == 200, response.text
    data = next(each["data"] for each in response.json()["outputs"] if each["name"] == "probabilities")
    np.testing.assert_allclose(np.array(data).reshape(len(CONTENTS), -1), probabilities, atol=1e-5)


ENCODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "x-gzip": ("x-gzip", gzip.compress),
    "two gzip members": ("gzip", lambda body: gzip.compress(body[:100]) + gzip.compress(body[100:])),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
    "identity": ("identity", bytes),
}


@pytest.mark.parametrize("kind", ENCODINGS)
def test_a_compressed_request_is_answered(server: Server, probabilities: np.ndarray, kind: str) -> None:
    name, compress = ENCODINGS[kind]
    headers = {"Content-Encoding": name}
    body = compress(json.dumps(V2).encode())
    check_v2(httpx.post(f"{server.model}/infer", content=body, headers=headers), probabilities)
    body = compress(json.dumps(V1).encode())
    v1 = httpx.post(f"{server.url}/v1/models/leaf:predict", content=body, headers=headers)
    found = [row["probabilities"] for row in v1.json()["predictions"]]
    np.testing.assert_allclose(found, probabilities, atol=1e-5)


def test_the_binary_extension_may_be_compressed(server: Server, probabilities: np.ndarray) -> None:
    raw = length_prefixed(CONTENTS)
    tensor = {
        "name": "x",
        "datatype": "BYTES",
        "shape": [3],
        "parameters": {"binary_data_size": len(raw)},
    }
    head = json.dumps({"inputs": [tensor]}).encode()
    headers = {"Content-Encoding": "gzip", "Inference-Header-Content-Length": str(len(head))}
    body = gzip.compress(head + raw)
    check_v2(httpx.post(f"{server.model}/infer", content=body, headers=headers), probabilities)


@pytest.mark.parametrize("name", ["br", "zstd", "gzip, deflate", "compress"])
def test_other_encodings_are_named(server: Server, name: str) -> None:
    response = httpx.post(f"{server.model}/infer", content=b"x", headers={"Content-Encoding": name})
    assert (response.status_code, response.json()["reason"]) == (415, "unsupported_encoding")
    assert "Content-Encoding" in response.json()["error"] and name[:10] in response.json()["error"]
    assert response.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"no gzip at all", "not valid gzip"),
        (gzip.compress(json.dumps(V2).encode())[:-9], "cut short"),
        (gzip.compress(b"{}") + b"more", "not valid gzip"),
        (b"", "cut short"),
    ],
    ids=["no gzip", "shortened", "followed by more", "empty"],  # gzip's time stamp would differ by worker
)
def test_a_damaged_body_is_refused(server: Server, body: bytes, why: str) -> None:
    response = httpx.post(f"{server.model}/infer", content=body, headers={"Content-Encoding": "gzip"})
    assert (response.status_code, response.json()["reason"]) == (400, "malformed")
    assert why in response.json()["error"]


@pytest.mark.parametrize("kind", ["gzip", "deflate", "raw deflate"])
def test_a_bomb_costs_no_more_than_the_limit(server: Server, kind: str) -> None:
    name, compress = ENCODINGS[kind]
    bomb = compress(b" " * (500 * 2**20))
    assert len(bomb) < _MAX_BODY
    before = server.resident_megabytes
    for _ in range(3):
        response = httpx.post(f"{server.model}/infer", content=bomb, headers={"Content-Encoding": name})
        assert (response.status_code, response.json()["reason"]) == (413, "too_large")
        assert "--max_body_bytes" in response.json()["error"]
    assert server.resident_megabytes < before + 50


def test_the_repository_reads_them_too(server: Server) -> None:
    url = f"{server.url}/v2/repository/index"
    index = httpx.post(url, content=gzip.compress(b"{}"), headers={"Content-Encoding": "gzip"})
    assert index.json()[0]["name"] == "leaf"
    bomb = httpx.post(url, content=gzip.compress(b" " * 10**6), headers={"Content-Encoding": "gzip"})
    assert bomb.status_code == 413
