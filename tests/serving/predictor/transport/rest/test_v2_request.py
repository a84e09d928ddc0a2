"""Our parser of binary tensors, and whether kserve still needs it."""

from __future__ import annotations

import json

import pytest
from kserve import InferRequest

from phytoflow.client.parameters import InferParameters
from phytoflow.client.rest_codec import encode
from serving.predictor.transport.rest.v2_request import parse_v2_body
from tests.support.make_bundle import pictures

PHOTO = pictures(1)[0].content


def test_bytes_stay_bytes() -> None:
    body, headers = encode([PHOTO, PHOTO], InferParameters(top_k=2))
    parsed = parse_v2_body(body, int(headers["Inference-Header-Content-Length"]), "leaf")
    assert parsed.inputs[0].shape == [2]
    assert parsed.inputs[0].as_numpy().tolist() == [PHOTO, PHOTO]
    assert parsed.parameters == {"top_k": 2}


def test_two_binary_tensors_are_told_apart() -> None:
    tensors = [
        {"name": n, "shape": [2], "datatype": "UINT8", "parameters": {"binary_data_size": 2}} for n in "ab"
    ]
    head = json.dumps({"inputs": tensors}).encode()
    parsed = parse_v2_body(head + b"\x01\x02\x03\x04", len(head), "leaf")
    assert [tensor.as_numpy().tolist() for tensor in parsed.inputs] == [[1, 2], [3, 4]]


def test_kserve_still_needs_our_parser() -> None:
    """Fails once kserve keeps photos as bytes: then drop our parser for its own."""
    body, headers = encode([PHOTO], None)
    with pytest.raises(Exception, match="UTF-8"):
        InferRequest.from_bytes(body, int(headers["Inference-Header-Content-Length"]), "leaf")
