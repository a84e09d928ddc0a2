"""Which outputs are returned, and their tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kserve import InferRequest
from kserve.protocol.infer_type import RequestedOutput

from phytoflow.inference.predictions import Predictions
from serving.predictor.errors import RequestError
from serving.predictor.protocol.outputs import OutputRequest, PredictionOutputs, output_names, parse_outputs

PREDICTIONS = Predictions(
    np.array([[0.2, 0.7, 0.1], [0.5, 0.1, 0.4]], np.float32),
    ("a", "b", "c"),
    np.array([0.5, 1.5], np.float32),
)
KNOWN = output_names(ood=True)


def request(*outputs: tuple[str, dict[str, Any]], **parameters: Any) -> InferRequest:
    wanted = [RequestedOutput(name, given) for name, given in outputs]
    return InferRequest("leaf", [], request_outputs=wanted, parameters=parameters)


def tensors(outputs: PredictionOutputs, *requested: OutputRequest) -> dict[str, Any]:
    return {output.name: values.tolist() for output, values in outputs.select(requested)}


def test_all_outputs_are_returned_if_none_is_named() -> None:
    found = tensors(PredictionOutputs(PREDICTIONS, [1.0, 2.0], 2))
    assert tuple(found) == ("probabilities", "labels", "scores", "milliseconds", "known", "novelty")
    assert found["labels"] == [["b", "a"], ["a", "c"]]
    assert found["scores"][0] == pytest.approx([0.7, 0.2])
    assert (found["milliseconds"], found["known"], found["novelty"]) == (
        [1.0, 2.0],
        [True, False],
        [0.5, 1.5],
    )


def test_outputs_follow_the_bundle_and_the_request() -> None:
    plain = Predictions(PREDICTIONS.probabilities, PREDICTIONS.classes)
    assert "known" not in tensors(PredictionOutputs(plain, [1.0, 2.0], 1))
    heat = np.zeros((2, 4, 4), np.float32)
    assert "explanation" in tensors(PredictionOutputs(plain, [1.0, 2.0], 1, heat))
    named = tensors(PredictionOutputs(PREDICTIONS, [1.0, 2.0], 1), OutputRequest("scores"))
    assert named == {"scores": [[pytest.approx(0.7)], [0.5]]}


def test_a_classification_replaces_probabilities() -> None:
    found = tensors(PredictionOutputs(PREDICTIONS, [1.0, 2.0], 1), OutputRequest("probabilities", classes=2))
    assert found == {"probabilities": [["0.700000:1:b", "0.200000:0:a"], ["0.500000:0:a", "0.400000:2:c"]]}


def test_requests_are_read() -> None:
    assert parse_outputs(request(), KNOWN) == ()
    wanted = ("labels", {"binary_data": True}), ("probabilities", {"classification": 3, "content_type": "np"})
    assert parse_outputs(request(*wanted), KNOWN) == (
        OutputRequest("labels", True),
        OutputRequest("probabilities", None, 3),
    )


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (request(("logits", {})), "no output 'logits'; there are probabilities"),
        (request(("explanation", {})), "no output 'explanation'"),
        (request(("labels", {"binary_data": 1})), "binary_data is not true or false"),
        (request(("labels", {"classification": 1})), "for 'probabilities' only"),
        (request(("probabilities", {"classification": True})), "not a number"),
        (request(("labels", {"shared_memory_region": "x"})), "unknown parameter 'shared_memory_region'"),
        (request(binary_data_output="yes"), "binary_data_output"),
    ],
)
def test_a_wrong_output_is_refused(made: InferRequest, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        parse_outputs(made, KNOWN)
    assert caught.value.status == 400
