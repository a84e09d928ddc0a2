"""Responses in the protocol and the form of the request."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kserve import InferInput, InferRequest, InferResponse

from phytoflow.inference.predictions import Predictions
from serving.predictor.protocol.outputs import OutputRequest, PredictionOutputs
from serving.predictor.protocol.response import ModelIdentity, build_response

IDENTITY = ModelIdentity("leaf", "7")
OUTPUTS = PredictionOutputs(
    Predictions(np.array([[0.25, 0.75]], np.float32), ("a", "b"), np.array([0.5], np.float32)), [1.5], 2
)


def v2(**parameters: Any) -> InferRequest:
    return InferRequest("leaf", [InferInput("x", [1], "BYTES", ["eA=="], {})], parameters=parameters)


def grpc(raw: bool) -> InferRequest:
    tensor = InferInput("x", [1], "BYTES", None if raw else [b"x"], {})
    return InferRequest("leaf", [tensor], from_grpc=True, raw_inputs=[b"\x01\0\0\0x"] if raw else None)


def test_json() -> None:
    response = build_response(IDENTITY, v2(), "id", OUTPUTS, ())
    assert isinstance(response, dict)
    assert (response["id"], response["model_name"], response["model_version"]) == ("id", "leaf", "7")
    found = {
        each["name"]: (each["datatype"], tuple(each["shape"]), each["data"]) for each in response["outputs"]
    }
    assert found == {
        "probabilities": ("FP32", (1, 2), [0.25, 0.75]),
        "labels": ("BYTES", (1, 2), ["b", "a"]),
        "scores": ("FP32", (1, 2), [0.75, 0.25]),
        "milliseconds": ("FP32", (1,), [1.5]),
        "known": ("BOOL", (1,), [True]),
        "novelty": ("FP32", (1,), [0.5]),
    }


def test_json_is_what_kserve_would_write() -> None:
    """Except for ids: kserve's own encoder is slower."""
    mixed = build_response(
        IDENTITY, v2(), "id", OUTPUTS, (OutputRequest("scores", True), OutputRequest("labels"))
    )
    assert isinstance(mixed, InferResponse)
    content, length = mixed.to_rest()
    assert content[length:] == np.array([0.75, 0.25], np.float32).tobytes()
    only_json = build_response(IDENTITY, v2(), "id", OUTPUTS, (OutputRequest("labels"),))
    assert only_json["outputs"][0]["data"] == ["b", "a"]  # type: ignore[index]


@pytest.mark.parametrize(
    ("own", "for_all", "binary"), [(None, True, True), (False, True, False), (True, False, True)]
)
def test_an_outputs_own_wish_comes_before_the_requests(own: bool | None, for_all: bool, binary: bool) -> None:
    made = build_response(
        IDENTITY, v2(binary_data_output=for_all), "id", OUTPUTS, (OutputRequest("novelty", own),)
    )
    assert isinstance(made, InferResponse) is binary


@pytest.mark.parametrize("raw", [True, False])
def test_grpc_answers_in_the_form_of_the_request(raw: bool) -> None:
    made = build_response(
        IDENTITY, grpc(raw), "id", OUTPUTS, (OutputRequest("labels"), OutputRequest("scores"))
    )
    assert isinstance(made, InferResponse)
    message = made.to_grpc()
    assert message.model_version == "7"
    if raw:
        assert list(message.raw_output_contents) == [
            b"\x01\0\0\0b\x01\0\0\0a",
            np.array([0.75, 0.25], np.float32).tobytes(),
        ]
    else:
        assert list(message.outputs[0].contents.bytes_contents) == [b"b", b"a"]
        assert list(message.outputs[1].contents.fp32_contents) == [0.75, 0.25]


def test_v1() -> None:
    made = build_response(IDENTITY, {"instances": []}, "id", OUTPUTS, ())
    row = {"label": "b", "score": 0.75, "labels": ["b", "a"], "scores": [0.75, 0.25]}
    row |= {"probabilities": [0.25, 0.75], "known": True, "novelty": 0.5}
    assert made == {"predictions": [row], "model_name": "leaf", "model_version": "7"}
