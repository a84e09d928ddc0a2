"""The form of a request's photos is chosen by the datatype."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import pytest
from kserve import InferInput

from phytoflow.data.images.limits import Limits
from serving.predictor.errors import RequestError
from serving.predictor.inputs.parse import parse_instances, parse_photos
from serving.predictor.inputs.types import RequestLimits

LIMITS = RequestLimits(2, Limits(), 2)
TEXT = b64encode(b"photo").decode()


def tensor(kind: str, shape: list[int], data: Any) -> InferInput:
    return InferInput("x", shape, kind, data, {})


def test_the_datatype_decides() -> None:
    assert parse_photos([tensor("BYTES", [1], [TEXT])], LIMITS) == [b"photo"]
    assert parse_photos([tensor("UINT8", [1, 1, 1, 3], [1, 2, 3])], LIMITS)[0].tolist() == [[[1, 2, 3]]]  # type: ignore[union-attr]
    assert parse_photos([tensor("FP32", [1, 3, 2, 2], [0.5] * 12)], LIMITS)[0].shape == (3, 2, 2)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("inputs", "status", "message"),
    [
        ([], 400, "0 inputs"),
        ([tensor("BYTES", [1], [TEXT])] * 2, 400, "2 inputs"),
        ([tensor("INT64", [1], [1])], 400, "datatype 'INT64'"),
        ([tensor("BYTES", [-1], [TEXT])], 400, "shape"),
        ([tensor("BYTES", [1] * 5, [TEXT])], 400, "shape"),
        ([tensor("BYTES", [0], [])], 400, "no photos"),
        ([tensor("BYTES", [3], [TEXT] * 3)], 413, "3 photos"),
    ],
)
def test_wrong_inputs_are_refused(inputs: list[InferInput], status: int, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        parse_photos(inputs, LIMITS)
    assert caught.value.status == status


def test_instances_are_a_list_of_photos() -> None:
    assert parse_instances({"instances": [TEXT, {"b64": TEXT}]}, LIMITS) == [b"photo", b"photo"]
    for body in (None, [], {}, {"instances": {}}, {"instances": TEXT}):
        with pytest.raises(RequestError, match="the body is not"):
            parse_instances(body, LIMITS)
    with pytest.raises(RequestError, match="3 photos"):
        parse_instances({"instances": [TEXT] * 3}, LIMITS)
