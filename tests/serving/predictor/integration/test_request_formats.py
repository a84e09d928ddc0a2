"""Every way to ask gives the numbers of the offline classifier."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as stubs
from numpy.typing import NDArray

from phytoflow.client.rest_codec import length_prefixed
from phytoflow.data.images.decode import decode
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.predictions import Predictions
from tests.support.make_bundle import CLASSES, SIDE, pictures
from tests.support.services.servers import Server

CONTENTS = [photo.content for photo in pictures(5)]


@pytest.fixture(scope="module")
def expected(offline: Classifier) -> Predictions:
    return offline.predict(CONTENTS)


@pytest.fixture(scope="module")
def stub(server: Server) -> Iterator[stubs.GRPCInferenceServiceStub]:
    with grpc.insecure_channel(server.grpc) as channel:
        yield stubs.GRPCInferenceServiceStub(channel)


def base64s(contents: list[bytes]) -> list[str]:
    return [base64.b64encode(content).decode() for content in contents]


def tensor(datatype: str, shape: list[int], **rest: Any) -> dict[str, Any]:
    return {"name": "photos", "datatype": datatype, "shape": shape, **rest}


def ask(server: Server, *inputs: dict[str, Any], **rest: Any) -> dict[str, Any]:
    response = httpx.post(f"{server.model}/infer", json={"inputs": list(inputs), **rest})
    assert response.status_code == 200, response.text
    return response.json()


def ask_binary(server: Server, datatype: str, shape: list[int], raw: bytes, **rest: Any) -> httpx.Response:
    head = {"inputs": [tensor(datatype, shape, parameters={"binary_data_size": len(raw)})], **rest}
    text = json.dumps(head).encode()
    headers = {"Inference-Header-Content-Length": str(len(text))}
    response = httpx.post(f"{server.model}/infer", content=text + raw, headers=headers)
    assert response.status_code == 200, response.text
    return response


def output(answer: dict[str, Any], name: str) -> NDArray[Any]:
    found = next(o for o in answer["outputs"] if o["name"] == name)
    return np.array(found["data"]).reshape(found["shape"])


def assert_same(answer: dict[str, Any], expected: Predictions) -> None:
    np.testing.assert_allclose(output(answer, "probabilities"), expected.probabilities, atol=1e-5)
    labels, scores = expected.top(len(CLASSES))
    assert output(answer, "labels").tolist() == labels
    np.testing.assert_allclose(output(answer, "scores"), scores, atol=1e-5)


def test_answers_differ_between_photos(expected: Predictions) -> None:
    assert len(set(expected.labels())) == len(CLASSES)  # else the tests below would prove nothing


def test_json_bytes(server: Server, expected: Predictions) -> None:
    answer = ask(server, tensor("BYTES", [5], data=base64s(CONTENTS)), id="mine")
    assert answer["id"] == "mine"
    assert_same(answer, expected)
    assert (output(answer, "milliseconds") > 0).all()


def test_json_bytes_as_a_column(server: Server, expected: Predictions) -> None:
    assert_same(ask(server, tensor("BYTES", [5, 1], data=[[b] for b in base64s(CONTENTS)])), expected)


def test_binary_bytes(server: Server, expected: Predictions) -> None:
    assert_same(ask_binary(server, "BYTES", [5], length_prefixed(CONTENTS)).json(), expected)


def test_binary_pixels(server: Server, offline: Classifier) -> None:
    pixels = np.stack([np.asarray(decode(c).resize((150, 120))) for c in CONTENTS])
    prepared = offline.bundle.manifest.preprocessing
    expected = offline.predict_tensor(np.stack([_from_pixels(prepared, p) for p in pixels]))
    assert_same(ask_binary(server, "UINT8", [5, 120, 150, 3], pixels.tobytes()).json(), expected)


def test_json_pixels_are_like_the_png(server: Server, expected: Predictions) -> None:
    png = 1  # every second picture is one
    pixels = np.asarray(decode(CONTENTS[png]))
    answer = ask(server, tensor("UINT8", [1, *pixels.shape], data=pixels.ravel().tolist()))
    assert_same(answer, Predictions(expected.probabilities[png : png + 1], expected.classes))


def test_json_tensor_nested(server: Server, offline: Classifier, expected: Predictions) -> None:
    prepared = np.stack([offline.bundle.manifest.preprocessing(c) for c in CONTENTS[:2]])
    answer = ask(server, tensor("FP32", [2, 3, SIDE, SIDE], data=prepared.tolist()))
    assert_same(answer, Predictions(expected.probabilities[:2], expected.classes))


def test_binary_tensor(server: Server, offline: Classifier, expected: Predictions) -> None:
    prepared = np.stack([offline.bundle.manifest.preprocessing(c) for c in CONTENTS])
    assert_same(ask_binary(server, "FP32", [5, 3, SIDE, SIDE], prepared.tobytes()).json(), expected)


def test_binary_outputs(server: Server, expected: Predictions) -> None:
    wanted = [{"name": "probabilities", "parameters": {"binary_data": True}}, {"name": "labels"}]
    response = ask_binary(server, "BYTES", [5], length_prefixed(CONTENTS), outputs=wanted)
    length = int(response.headers["inference-header-content-length"])
    head = json.loads(response.content[:length])
    assert [o["name"] for o in head["outputs"]] == ["probabilities", "labels"]
    values = np.frombuffer(response.content[length:], np.float32).reshape(5, len(CLASSES))
    np.testing.assert_allclose(values, expected.probabilities, atol=1e-5)


@pytest.mark.parametrize("top_k", [1, 2])
def test_top_k(server: Server, expected: Predictions, top_k: int) -> None:
    answer = ask(server, tensor("BYTES", [5], data=base64s(CONTENTS)), parameters={"top_k": top_k})
    assert output(answer, "labels").tolist() == expected.top(top_k)[0]


def test_v1(server: Server, expected: Predictions) -> None:
    first, *rest = base64s(CONTENTS)
    response = httpx.post(f"{server.url}/v1/models/leaf:predict", json={"instances": [{"b64": first}, *rest]})
    rows = response.json()["predictions"]
    assert [row["label"] for row in rows] == expected.labels()
    np.testing.assert_allclose([row["probabilities"] for row in rows], expected.probabilities, atol=1e-5)


def test_grpc_raw(stub: stubs.GRPCInferenceServiceStub, expected: Predictions) -> None:
    request = _grpc("BYTES", [5], raw_input_contents=[length_prefixed(CONTENTS)])
    request.parameters["top_k"].int64_param = 3
    answer = stub.ModelInfer(request)
    assert answer.model_version
    names = [o.name for o in answer.outputs]
    raw = answer.raw_output_contents[names.index("probabilities")]
    np.testing.assert_allclose(
        np.frombuffer(raw, np.float32).reshape(5, -1), expected.probabilities, atol=1e-5
    )


def test_grpc_bytes_contents(stub: stubs.GRPCInferenceServiceStub, expected: Predictions) -> None:
    answer = stub.ModelInfer(_grpc("BYTES", [5], contents=pb.InferTensorContents(bytes_contents=CONTENTS)))
    found = {o.name: o.contents for o in answer.outputs}
    values = np.array(found["probabilities"].fp32_contents).reshape(5, -1)
    np.testing.assert_allclose(values, expected.probabilities, atol=1e-5)
    assert [label.decode() for label in found["labels"].bytes_contents][::3] == expected.labels()


def test_grpc_pixels(stub: stubs.GRPCInferenceServiceStub, expected: Predictions) -> None:
    pixels = np.asarray(decode(CONTENTS[1]))
    answer = stub.ModelInfer(_grpc("UINT8", [1, *pixels.shape], raw_input_contents=[pixels.tobytes()]))
    values = np.frombuffer(answer.raw_output_contents[0], np.float32)
    np.testing.assert_allclose(values, expected.probabilities[1], atol=1e-5)


def test_grpc_tensor_contents(
    stub: stubs.GRPCInferenceServiceStub, offline: Classifier, expected: Predictions
) -> None:
    values = offline.bundle.manifest.preprocessing(CONTENTS[0]).ravel()
    contents = pb.InferTensorContents(fp32_contents=values)
    answer = stub.ModelInfer(_grpc("FP32", [1, 3, SIDE, SIDE], contents=contents))
    found = np.array(answer.outputs[0].contents.fp32_contents)
    np.testing.assert_allclose(found, expected.probabilities[0], atol=1e-5)


def test_metadata_tells_the_truth(server: Server, bundle: Path, offline: Classifier) -> None:
    metadata = httpx.get(server.model).json()
    assert metadata["versions"] == [offline.bundle.manifest.version]
    assert metadata["parameters"]["classes"] == list(CLASSES)
    assert metadata["parameters"]["runtime"] == "onnx"
    assert metadata["parameters"]["device"] == "CPU"
    shapes = {tensor["name"]: tensor["shape"] for tensor in metadata["outputs"]}
    answer = ask(server, tensor("BYTES", [2], data=base64s(CONTENTS[:2])))
    for found in answer["outputs"]:
        assert len(found["shape"]) == len(shapes[found["name"]])
        assert all(want in (-1, got) for want, got in zip(shapes[found["name"]], found["shape"], strict=True))


def test_a_version_in_the_url(server: Server, offline: Classifier) -> None:
    version = offline.bundle.manifest.version
    assert httpx.get(f"{server.model}/versions/{version}").status_code == 200
    assert httpx.get(f"{server.model}/versions/9").status_code == 404


def test_photos_in_one_request_do_not_change_each_other(server: Server) -> None:
    together = ask(server, tensor("BYTES", [5], data=base64s(CONTENTS)))
    alone = [ask(server, tensor("BYTES", [1], data=[b])) for b in base64s(CONTENTS)]
    rows = np.concatenate([output(answer, "probabilities") for answer in alone])
    np.testing.assert_allclose(output(together, "probabilities"), rows, atol=1e-5)


def _from_pixels(preprocessing: Any, pixels: NDArray[np.uint8]) -> NDArray[np.float32]:
    from PIL import Image

    return preprocessing.normalise(preprocessing.pixels(Image.fromarray(pixels)))


def _grpc(datatype: str, shape: list[int], contents: Any = None, **rest: Any) -> pb.ModelInferRequest:
    given = pb.ModelInferRequest.InferInputTensor(
        name="photos", datatype=datatype, shape=shape, contents=contents
    )
    return pb.ModelInferRequest(model_name="leaf", inputs=[given], **rest)
