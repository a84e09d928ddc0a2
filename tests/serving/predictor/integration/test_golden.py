"""A bundle made at commit 210d6d1 is served with the answers that the predictor of that commit gave."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest
from kserve.protocol.grpc import grpc_predict_v2_pb2 as pb
from kserve.protocol.grpc import grpc_predict_v2_pb2_grpc as stubs

from phytoflow.client.rest_codec import length_prefixed
from tests.support import golden
from tests.support.services.servers import PLAIN_ASGI, PREDICTOR, Server, running

CONTENTS = [(golden.PHOTOS / name).read_bytes() for name in golden.SERVED]
RECORDED = golden.answers()
TOLERANCE = 1e-6


@pytest.fixture(scope="module", params=[PREDICTOR, PLAIN_ASGI], ids=["fast path", "plain ASGI"])
def old_bundle(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The old bundle, served past ASGI and through it."""
    with running(golden.BUNDLE, tmp_path_factory.mktemp("golden") / "log", request.param) as server:
        yield server


def base64s() -> list[str]:
    return [base64.b64encode(content).decode() for content in CONTENTS]


def values(outputs: list[dict[str, Any]]) -> dict[str, Any]:
    """Data by output; times differ from run to run."""
    return {each["name"]: each["data"] for each in outputs if each["name"] != "milliseconds"}


def check(found: dict[str, Any]) -> None:
    expected = values(RECORDED["v2"]["outputs"])
    assert found.keys() == expected.keys()
    for name, data in expected.items():
        if name in ("labels", "known"):
            assert found[name] == data, name
        else:
            np.testing.assert_allclose(found[name], data, atol=TOLERANCE, err_msg=name)


def test_v2_over_rest(old_bundle: Server) -> None:
    tensor = {"name": "image", "shape": [len(CONTENTS)], "datatype": "BYTES", "data": base64s()}
    answer = httpx.post(f"{old_bundle.model}/infer", json={"inputs": [tensor]}).json()
    assert answer["model_version"] == RECORDED["v2"]["model_version"]
    check(values(answer["outputs"]))


def test_v2_over_grpc(old_bundle: Server) -> None:
    contents = pb.InferTensorContents(bytes_contents=CONTENTS)
    tensor = pb.ModelInferRequest.InferInputTensor(
        name="image", datatype="BYTES", shape=[len(CONTENTS)], contents=contents
    )
    with grpc.insecure_channel(old_bundle.grpc) as channel:
        request = pb.ModelInferRequest(model_name="leaf", inputs=[tensor])
        answer = stubs.GRPCInferenceServiceStub(channel).ModelInfer(request)
    assert answer.model_version == RECORDED["v2"]["model_version"]
    outputs = {each.name: each.contents for each in answer.outputs if each.name != "milliseconds"}
    found: dict[str, Any] = {name: list(given.fp32_contents) for name, given in outputs.items()}
    found["labels"] = [text.decode() for text in outputs["labels"].bytes_contents]
    found["known"] = list(outputs["known"].bool_contents)
    check(found)


def test_v2_over_grpc_as_raw_bytes(old_bundle: Server) -> None:
    tensor = pb.ModelInferRequest.InferInputTensor(name="image", datatype="BYTES", shape=[len(CONTENTS)])
    with grpc.insecure_channel(old_bundle.grpc) as channel:
        request = pb.ModelInferRequest(
            model_name="leaf", inputs=[tensor], raw_input_contents=[length_prefixed(CONTENTS)]
        )
        answer = stubs.GRPCInferenceServiceStub(channel).ModelInfer(request)
    names = [each.name for each in answer.outputs]
    raw = answer.raw_output_contents[names.index("probabilities")]
    expected = values(RECORDED["v2"]["outputs"])["probabilities"]
    np.testing.assert_allclose(np.frombuffer(raw, np.float32), expected, atol=TOLERANCE)


def test_v1(old_bundle: Server) -> None:
    body = {"instances": [{"b64": text} for text in base64s()]}
    answer = httpx.post(f"{old_bundle.url}/v1/models/leaf:predict", json=body).json()
    assert answer["model_version"] == RECORDED["v1"]["model_version"]
    for row, expected in zip(answer["predictions"], RECORDED["v1"]["predictions"], strict=True):
        assert row.keys() == expected.keys()
        for name, value in expected.items():
            if isinstance(value, float | list) and name != "labels":
                np.testing.assert_allclose(row[name], value, atol=TOLERANCE, err_msg=name)
            else:
                assert row[name] == value, name


def test_metadata(old_bundle: Server) -> None:
    answer, expected = httpx.get(old_bundle.model).json(), RECORDED["metadata"]
    for name in ("name", "versions", "platform", "inputs"):
        assert answer[name] == expected[name]
    recorded = {output["name"] for output in expected["outputs"]}
    # Outputs that came later are listed, too; they are sent only to a client that names them.
    assert [output for output in answer["outputs"] if output["name"] in recorded] == expected["outputs"]
    for name in ("classes", "backbone"):
        assert answer["parameters"][name] == expected["parameters"][name]
    # The option and the metadata were renamed together.
    assert answer["parameters"]["max_photos_per_request"] == expected["parameters"]["max_photos"]


def test_the_bundle_is_the_recorded_one() -> None:
    assert Path(golden.BUNDLE / "bundle.json").exists()
    assert len(RECORDED["v1"]["predictions"]) == len(CONTENTS)
