"""What is said of a version."""

from __future__ import annotations

import json

from serving.predictor.engine.engine import Engine
from serving.predictor.protocol.metadata import (
    describe_inputs,
    describe_model,
    describe_outputs,
    describe_properties,
)


def test_inputs_and_outputs_have_the_bundles_shapes(engine: Engine) -> None:
    assert {each["name"]: each["shape"] for each in describe_inputs(engine)} == {
        "photos": [-1],
        "pixels": [-1, -1, -1, 3],
        "tensor": [-1, 3, 64, 64],
    }
    outputs = {each["name"]: each for each in describe_outputs(engine)}
    assert outputs["probabilities"]["shape"] == [-1, 3]
    assert {"known", "novelty"} <= outputs.keys()


def test_parameters_say_how_to_ask(engine: Engine) -> None:
    described = describe_model("leaf", engine)
    assert (described["name"], described["versions"]) == ("leaf", [engine.version])
    parameters = described["parameters"]
    assert parameters["classes"] == ["healthy", "rust", "scab"]
    assert parameters["max_batch_size"] == 2 and parameters["max_photos_per_request"] == 16
    assert {"top_k", "tta", "explain", "class", "classification", "runtime_reason"} <= parameters.keys()


def test_properties_are_text(engine: Engine) -> None:
    properties = describe_properties(engine)
    assert all(isinstance(value, str) for value in properties.values())
    assert json.loads(properties["classes"]) == ["healthy", "rust", "scab"]
    assert properties["runtime"] == "onnx"
