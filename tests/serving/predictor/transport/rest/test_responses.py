"""Responses of the fast path and of FastAPI."""

from __future__ import annotations

import numpy as np
import orjson
import pytest
from kserve import InferOutput, InferResponse
from kserve.protocol.infer_type import RequestedOutput

from serving.predictor.errors import RequestError, overloaded, unsupported_encoding
from serving.predictor.observability.metrics import ERRORS
from serving.predictor.transport.rest.responses import error_response, infer_response, json_response
from serving.predictor.transport.rest.v2_request import BINARY_HEADER


def test_json_is_compact_and_says_what_it_is() -> None:
    response = json_response({"a": [1, 2.5]}, 202)
    assert (response.content, response.status, response.media_type) == (
        b'{"a":[1,2.5]}',
        202,
        "application/json",
    )


def test_starlette_sends_the_same() -> None:
    response = error_response(overloaded("later")).to_starlette()
    assert response.status_code == 503
    assert response.headers["retry-after"] == "1"
    assert response.headers["content-type"] == "application/json"
    assert orjson.loads(bytes(response.body)) == {"error": "later", "reason": "overloaded"}


def test_binary_outputs_follow_the_json_whose_length_the_header_gives() -> None:
    values = np.array([[0.25, 0.75]], np.float32)
    output = InferOutput("p", [1, 2], "FP32", values)
    wanted = RequestedOutput("p", {"binary_data": True})
    response = infer_response(
        InferResponse("1", "leaf", [output], use_binary_outputs=True, requested_outputs=[wanted])
    )
    assert response.media_type == "application/octet-stream"
    length = int(dict(response.headers)[BINARY_HEADER])
    assert orjson.loads(response.content[:length])["outputs"][0]["name"] == "p"
    assert response.content[length:] == values.tobytes()


@pytest.mark.parametrize(
    ("error", "header"),
    [
        (unsupported_encoding("lz4"), ("accept-encoding", "gzip")),
        (overloaded("later"), ("retry-after", "1")),
    ],
)
def test_an_error_says_what_the_client_can_do(error: RequestError, header: tuple[str, str]) -> None:
    names = dict(error_response(error).headers)
    assert names[header[0]].startswith(header[1])


def test_an_error_is_counted_once_by_reason_and_class_of_status() -> None:
    error = RequestError(413, "too_large", "photo 0: 9 MB")
    counter = ERRORS.labels("too_large", "4xx")
    before = counter._value.get()
    assert error_response(error).status == 413
    assert counter._value.get() == before + 1
