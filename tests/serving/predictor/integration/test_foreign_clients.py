"""Requests as stock clients of other servers send them: TensorFlow Serving, KServe and Triton."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as stubs

from phytoflow.client.rest_codec import length_prefixed
from phytoflow.inference.classifier import Classifier
from tests.support.make_bundle import CLASSES, pictures
from tests.support.services.servers import Server

CONTENTS = [photo.content for photo in pictures(3)]
B64 = [base64.b64encode(content).decode() for content in CONTENTS]
V2: dict[str, Any] = {"inputs": [{"name": "photos", "datatype": "BYTES", "shape": [3], "data": B64}]}
V1 = {"instances": B64}


@pytest.fixture(scope="module")
def probabilities(offline: Classifier) -> np.ndarray:
    return offline.predict(CONTENTS).probabilities


@pytest.fixture(scope="module")
def stub(server: Server) -> Iterator[stubs.GRPCInferenceServiceStub]:
    with grpc.insecure_channel(server.grpc) as channel:
        yield stubs.GRPCInferenceServiceStub(channel)


def output(response: httpx.Response, name: str) -> Any:
    assert response.status_code == 200, response.text
    return next(each for each in response.json()["outputs"] if each["name"] == name)


def check_v2(response: httpx.Response, probabilities: np.ndarray) -> None:
    found = np.array(output(response, "probabilities")["data"]).reshape(len(CONTENTS), -1)
    np.testing.assert_allclose(found, probabilities, atol=1e-5)


FORMS: dict[str, Callable[[str], Any]] = {
    "a string": lambda text: text,
    "b64": lambda text: {"b64": text},
    "TensorFlow Serving": lambda text: {"image_bytes": {"b64": text}},
    "KServe's image": lambda text: {"image": {"b64": text}},
    "TorchServe's data": lambda text: {"data": text},
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_of_an_instance_is_read(server: Server, probabilities: np.ndarray, form: str) -> None:
    body = {"signature_name": "serving_default", "instances": [FORMS[form](text) for text in B64]}
    response = httpx.post(f"{server.url}/v1/models/leaf:predict", json=body)
    assert response.status_code == 200, response.text
    found = [row["probabilities"] for row in response.json()["predictions"]]
    np.testing.assert_allclose(found, probabilities, atol=1e-5)


def test_an_instance_that_cannot_be_read_is_told_the_forms(server: Server) -> None:
    body = {"instances": [{"image_bytes": {"url": "https://example.org/leaf.jpg"}}]}
    response = httpx.post(f"{server.url}/v1/models/leaf:predict", json=body)
    assert response.status_code == 400
    assert '{"b64": "..."}' in response.json()["error"]


TOLERATED = {
    "timeout": 1000,
    "priority": 1,
    "sequence_id": 7,
    "sequence_start": True,
    "sequence_end": False,
}


def test_tritons_request_parameters_change_nothing(
    server: Server, stub: stubs.GRPCInferenceServiceStub, probabilities: np.ndarray
) -> None:
    check_v2(httpx.post(f"{server.model}/infer", json=V2 | {"parameters": TOLERATED}), probabilities)
    request = grpc_request()
    request.parameters["timeout"].int64_param = 1000
    request.parameters["sequence_id"].string_param = "a"
    # Triton's newer clients send the priority as uint64_param (field 5), which kserve's message lacks.
    request.parameters["priority"].MergeFromString(b"\x28\x01")
    values = np.frombuffer(stub.ModelInfer(request).raw_output_contents[0], np.float32)
    np.testing.assert_allclose(values.reshape(3, -1), probabilities, atol=1e-5)


def test_a_value_that_cannot_be_read_is_not_ignored(stub: stubs.GRPCInferenceServiceStub) -> None:
    request = grpc_request()
    request.parameters["top_k"].MergeFromString(b"\x28\x01")
    with pytest.raises(grpc.RpcError, match="'top_k' has no bool, int64 or string value"):
        stub.ModelInfer(request)


@pytest.mark.parametrize("top_k", [len(CLASSES) + 1, 1000])
def test_top_k_above_the_number_of_classes_gives_all(server: Server, top_k: int) -> None:
    response = httpx.post(f"{server.model}/infer", json=V2 | {"parameters": {"top_k": top_k}})
    assert output(response, "labels")["shape"] == [3, len(CLASSES)]
    v1 = httpx.post(f"{server.url}/v1/models/leaf:predict", json=V1 | {"parameters": {"top_k": top_k}})
    assert len(v1.json()["predictions"][0]["labels"]) == len(CLASSES)


def check_classes(texts: list[str], probabilities: np.ndarray, count: int) -> None:
    for row, cells in zip(probabilities, np.array(texts).reshape(3, count), strict=True):
        best = np.argsort(-row)[:count]
        for index, cell in zip(best, cells, strict=True):
            score, number, label = cell.split(":")
            assert (int(number), label) == (index, CLASSES[index])
            assert float(score) == pytest.approx(row[index], abs=1e-5)


@pytest.mark.parametrize(("asked", "given"), [(1, 1), (2, 2), (50, len(CLASSES))])
def test_classification_over_rest(server: Server, probabilities: np.ndarray, asked: int, given: int) -> None:
    wanted = [{"name": "probabilities", "parameters": {"classification": asked}}, {"name": "labels"}]
    response = httpx.post(f"{server.model}/infer", json=V2 | {"outputs": wanted})
    found = output(response, "probabilities")
    assert (found["datatype"], found["shape"]) == ("BYTES", [3, given])
    check_classes(found["data"], probabilities, given)


def test_classification_as_bytes(server: Server, probabilities: np.ndarray) -> None:
    parameters = {"classification": 2, "binary_data": True}
    wanted = [{"name": "probabilities", "parameters": parameters}]
    response = httpx.post(f"{server.model}/infer", json=V2 | {"outputs": wanted})
    length = int(response.headers["inference-header-content-length"])
    texts, rest = [], response.content[length:]
    while rest:
        size = int.from_bytes(rest[:4], "little")
        texts.append(rest[4 : 4 + size].decode())
        rest = rest[4 + size :]
    check_classes(texts, probabilities, 2)


def test_classification_over_grpc(stub: stubs.GRPCInferenceServiceStub, probabilities: np.ndarray) -> None:
    request = grpc_request()
    wanted = request.outputs.add(name="probabilities")
    wanted.parameters["classification"].int64_param = 2
    answer = stub.ModelInfer(request)
    assert (answer.outputs[0].datatype, list(answer.outputs[0].shape)) == ("BYTES", [3, 2])
    raw, texts = answer.raw_output_contents[0], []
    while raw:
        size = int.from_bytes(raw[:4], "little")
        texts.append(raw[4 : 4 + size].decode())
        raw = raw[4 + size :]
    check_classes(texts, probabilities, 2)


@pytest.mark.parametrize(
    ("name", "parameters", "why"),
    [
        ("labels", {"classification": 2}, "for 'probabilities' only"),
        ("probabilities", {"classification": "2"}, "not a number of classes"),
        ("probabilities", {"classification": -1}, "not a number of classes"),
        ("probabilities", {"shared_memory_region": "x"}, "unknown parameter 'shared_memory_region'"),
    ],
)
def test_a_classification_that_makes_no_sense_is_refused(
    server: Server, name: str, parameters: dict[str, Any], why: str
) -> None:
    wanted = [{"name": name, "parameters": parameters}]
    response = httpx.post(f"{server.model}/infer", json=V2 | {"outputs": wanted})
    assert response.status_code == 400
    assert why in response.json()["error"]


def grpc_request() -> pb.ModelInferRequest:
    tensor = pb.ModelInferRequest.InferInputTensor(name="photos", datatype="BYTES", shape=[3])
    raw = [length_prefixed(CONTENTS)]
    return pb.ModelInferRequest(model_name="leaf", inputs=[tensor], raw_input_contents=raw)
