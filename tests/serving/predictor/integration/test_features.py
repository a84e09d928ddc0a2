"""The output ``features``: only for a request that names it, the same over every transport."""

from __future__ import annotations

import base64
import json
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as stubs
from numpy.typing import NDArray

from phytoflow.client.rest_codec import length_prefixed
from phytoflow.inference.classifier import Classifier
from tests.serving.predictor.integration.test_malformed import check, photos
from tests.support.make_bundle import pictures
from tests.support.services.servers import Server

CONTENTS = [photo.content for photo in pictures(3)]


@pytest.fixture(scope="module")
def expected(offline: Classifier) -> NDArray[np.float32]:
    """What the model file itself returns."""
    preprocessing = offline.bundle.manifest.preprocessing
    features = offline.outputs(np.stack([preprocessing(content) for content in CONTENTS])).features
    assert features is not None
    return features


def ask(server: Server, **rest: Any) -> dict[str, Any]:
    body = photos([base64.b64encode(content).decode() for content in CONTENTS]) | rest
    response = httpx.post(f"{server.model}/infer", json=body)
    assert response.status_code == 200, response.text
    return response.json()


def test_the_metadata_lists_it(server: Server, expected: NDArray[np.float32]) -> None:
    outputs = {each["name"]: each for each in httpx.get(server.model).json()["outputs"]}
    assert outputs["features"] == {
        "name": "features",
        "datatype": "FP32",
        "shape": [-1, expected.shape[1]],
    }


def test_as_json(server: Server, expected: NDArray[np.float32]) -> None:
    (output,) = ask(server, outputs=[{"name": "features"}])["outputs"]
    assert output["shape"] == list(expected.shape)
    np.testing.assert_allclose(np.reshape(output["data"], expected.shape), expected, atol=1e-5)


def test_as_raw_bytes_with_json(server: Server, expected: NDArray[np.float32]) -> None:
    raw = length_prefixed(CONTENTS)
    tensor = {
        "name": "photos",
        "datatype": "BYTES",
        "shape": [3],
        "parameters": {"binary_data_size": len(raw)},
    }
    wanted = [{"name": "labels"}, {"name": "features", "parameters": {"binary_data": True}}]
    head = json.dumps({"inputs": [tensor], "outputs": wanted}).encode()
    headers = {"Inference-Header-Content-Length": str(len(head))}
    answer = httpx.post(f"{server.model}/infer", content=head + raw, headers=headers)
    length = int(answer.headers["Inference-Header-Content-Length"])
    labels, features = json.loads(answer.content[:length])["outputs"]
    assert len(labels["data"]) == 9 and features["parameters"]["binary_data_size"] == expected.nbytes
    received = np.frombuffer(answer.content[length:], "<f4").reshape(expected.shape)
    np.testing.assert_allclose(received, expected, atol=1e-5)


def test_over_grpc(server: Server, expected: NDArray[np.float32]) -> None:
    request = pb.ModelInferRequest(
        model_name="leaf",
        inputs=[pb.ModelInferRequest.InferInputTensor(name="photos", datatype="BYTES", shape=[3])],
        outputs=[pb.ModelInferRequest.InferRequestedOutputTensor(name="features")],
        raw_input_contents=[length_prefixed(CONTENTS)],
    )
    with grpc.insecure_channel(server.grpc) as channel:
        answer = stubs.GRPCInferenceServiceStub(channel).ModelInfer(request)
    assert [output.name for output in answer.outputs] == ["features"]
    received = np.frombuffer(answer.raw_output_contents[0], "<f4").reshape(expected.shape)
    np.testing.assert_allclose(received, expected, atol=1e-5)


def test_with_augmentation_they_are_the_photos_own(server: Server, expected: NDArray[np.float32]) -> None:
    body = {"outputs": [{"name": "features"}], "parameters": {"tta": "flips"}}
    (output,) = ask(server, **body)["outputs"]
    np.testing.assert_allclose(np.reshape(output["data"], expected.shape), expected, atol=1e-5)


def test_no_other_request_gets_them(server: Server) -> None:
    assert "features" not in {output["name"] for output in ask(server)["outputs"]}


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_logged_is_true_or_false(server: Server, value: object) -> None:
    body = photos([base64.b64encode(CONTENTS[0]).decode()])
    assert (
        httpx.post(f"{server.model}/infer", json=body | {"parameters": {"logged": True}}).status_code == 200
    )
    check(
        httpx.post(f"{server.model}/infer", json=body | {"parameters": {"logged": value}}),
        400,
        "logged is not true or false",
    )
