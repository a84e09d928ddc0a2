"""Requests of both protocols, read for a real bundle of three classes."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from kserve import InferInput, InferRequest

from serving.predictor.engine.engine import Engine
from serving.predictor.errors import RequestError
from serving.predictor.protocol.outputs import OutputRequest
from serving.predictor.protocol.request import PredictRequest, parse_request

TEXT = b64encode(b"photo").decode()


def v2(count: int = 1, **parameters: Any) -> InferRequest:
    tensor = InferInput("x", [count], "BYTES", [TEXT] * count, {})
    return InferRequest("leaf", [tensor], parameters=parameters)


def v1(**parameters: Any) -> dict[str, Any]:
    return {"instances": [TEXT], "parameters": parameters}


def test_defaults(engine: Engine) -> None:
    expected = PredictRequest([b"photo"], top_k=3)  # five labels, or as many as there are classes
    assert parse_request(v2(), engine) == parse_request(v1(), engine) == expected
    assert parse_request({"instances": [TEXT]}, engine) == expected


@pytest.mark.parametrize("make", [v2, v1])
def test_parameters_are_read(engine: Engine, make: Any) -> None:
    parsed = parse_request(make(top_k=2, tta="crops"), engine)
    assert (parsed.top_k, parsed.augmentation) == (2, "crops")
    assert parse_request(make(top_k=10**6), engine).top_k == 3


@pytest.mark.parametrize("make", [v2, v1])
def test_parameters_of_triton_have_no_effect(engine: Engine, make: Any) -> None:
    given = {"timeout": 5, "priority": 1, "sequence_id": "a", "sequence_start": True, "sequence_end": True}
    assert parse_request(make(**given), engine) == parse_request(make(), engine)


def test_an_explanation_is_read(engine: Engine) -> None:
    label = engine.classifier.classes[2]
    parsed = parse_request(v2(explain=True, **{"class": label}), engine)
    assert (parsed.explain, parsed.explained_class) == (True, 2)
    assert parse_request(v2(explain=True), engine).explained_class is None


def test_outputs_are_read(engine: Engine) -> None:
    made = v2()
    made.request_outputs = [type("Output", (), {"name": "known", "parameters": None})()]
    assert parse_request(made, engine).outputs == (OutputRequest("known"),)


@pytest.mark.parametrize(
    ("payload", "status", "message"),
    [
        (v2(top_k=0), 400, "top_k"),
        (v2(top_k=True), 400, "top_k"),
        (v1(top_k="2"), 400, "top_k"),
        (v2(tta="rotations"), 400, "tta is not one of none, flips, crops"),
        (v2(2, tta="crops"), 413, "2 photos make 20"),
        (v2(temperature=2), 400, "unknown parameter 'temperature'; known are"),
        (v1(explain=True), 400, "unknown parameter 'explain'"),
        (v2(explain=1), 400, "explain"),
        (v2(**{"class": "rust"}), 400, "explain is not true"),
        (v2(explain=True, **{"class": "oak"}), 400, "no class 'oak'"),
        (v2(5, explain=True), 413, "4 explained"),
        ({"instances": [TEXT], "parameters": [1]}, 400, "parameters is not an object"),
    ],
)
def test_a_wrong_request_is_refused(engine: Engine, payload: Any, status: int, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        parse_request(payload, engine)
    assert caught.value.status == status
