"""The bytes of V2 over REST, against what kserve reads and writes."""

import json
from pathlib import Path

import pytest
from kserve import InferRequest

from phytoflow.client.parameters import InferParameters
from phytoflow.client.rest_codec import decode, encode
from phytoflow.errors import ServingError
from tests.support.services.fake_predictor import v2_response


def test_kserve_reads_the_request(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"second")
    body, headers = encode([b"first", tmp_path / "b"], InferParameters(top_k=3))
    request = InferRequest.from_bytes(body, int(headers["Inference-Header-Content-Length"]), "leaf")
    assert (request.inputs[0].shape, request.parameters) == ([2], {"top_k": 3})
    assert request.inputs[0].as_numpy().tolist() == ["first", "second"]
    assert body.endswith(b"\x05\0\0\0first\x06\0\0\0second")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone\.jpg"):
        encode([tmp_path / "gone.jpg"])


def test_ood_outputs_and_explanations_are_optional() -> None:
    response = json.loads(v2_response(1))
    (plain,) = decode(json.dumps(response).encode())
    assert (plain.known, plain.novelty, plain.explanation) == (None, None, None)
    response["outputs"] += [
        {"name": "known", "shape": [1], "data": [False]},
        {"name": "novelty", "shape": [1], "data": [1.5]},
        {"name": "explanation", "shape": [1, 2, 2], "data": [0.0, 0.1, 0.2, 1.0]},
    ]
    (full,) = decode(json.dumps(response).encode())
    assert (full.known, full.novelty, full.explanation) == (False, 1.5, ((0.0, 0.1), (0.2, 1.0)))


@pytest.mark.parametrize("missing", ["probabilities", "labels", "scores", "milliseconds"])
def test_a_response_without_an_output_is_refused(missing: str) -> None:
    response = json.loads(v2_response(2))
    response["outputs"] = [output for output in response["outputs"] if output["name"] != missing]
    with pytest.raises(ServingError, match=missing):
        decode(json.dumps(response).encode())


def test_rows_of_different_numbers_are_refused() -> None:
    response = json.loads(v2_response(2))
    response["outputs"][0]["shape"] = [1, 2]
    with pytest.raises(ServingError, match="unexpected answer"):
        decode(json.dumps(response).encode())
