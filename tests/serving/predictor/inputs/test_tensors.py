"""Photos as numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kserve import InferInput

from phytoflow.data.images.limits import LimitNames, Limits
from serving.predictor.errors import RequestError
from serving.predictor.inputs.tensors import format_shape, parse_pixels, parse_preprocessed
from serving.predictor.inputs.types import RequestLimits

LIMITS = RequestLimits(16, Limits(max_pixels=100, names=LimitNames(max_pixels="--max_pixels")), 2)


def tensor(kind: str, shape: list[int], data: Any = None, raw: bytes | None = None) -> InferInput:
    made = InferInput("x", shape, kind, data, {})
    made._raw_data = raw
    return made


def test_pixels_come_as_json_or_bytes() -> None:
    pixels = np.arange(2 * 2 * 3 * 3, dtype=np.uint8).reshape(2, 2, 3, 3)
    shape = list(pixels.shape)
    for made in (
        tensor("UINT8", shape, raw=pixels.tobytes()),
        tensor("UINT8", shape, pixels.tolist()),
        tensor("UINT8", shape, pixels.ravel().tolist()),
    ):
        photos = parse_pixels(made, LIMITS)
        assert len(photos) == 2
        np.testing.assert_array_equal(np.stack(photos), pixels)  # type: ignore[arg-type]


def test_preprocessed_photos_are_float32() -> None:
    values = np.linspace(-1, 1, 12, dtype=np.float32).reshape(1, 3, 2, 2)
    (photo,) = parse_preprocessed(tensor("FP32", [1, 3, 2, 2], values.tolist()), LIMITS)
    assert isinstance(photo, np.ndarray) and photo.dtype == np.float32
    np.testing.assert_array_equal(photo, values[0])


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (tensor("UINT8", [1, 2, 2], []), "of shape"),
        (tensor("UINT8", [1, 2, 2, 4], []), "of shape"),
        (tensor("UINT8", [1, 1, 1, 3], [0, 0, 256]), "outside 0..255"),
        (tensor("UINT8", [1, 1, 1, 3], [0, 0, 0.5]), "other than integers"),
        (tensor("UINT8", [1, 1, 1, 3], [0, 0]), "means 3 values"),
        (tensor("UINT8", [1, 1, 1, 3], [[0], [0, 0]]), "ragged"),
        (tensor("UINT8", [1, 1, 1, 3], raw=b"12"), "means 3 bytes, 2"),
    ],
)
def test_wrong_pixels_are_refused(made: InferInput, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        parse_pixels(made, LIMITS)
    assert caught.value.status == 400


def test_too_many_pixels_name_the_option() -> None:
    with pytest.raises(RequestError, match=r"photo 0: 11 x 10 pixels.*--max_pixels") as caught:
        parse_pixels(tensor("UINT8", [1, 10, 11, 3], []), LIMITS)
    assert caught.value.status == 413


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e39])
def test_what_is_not_finite_is_refused(value: float) -> None:
    data = [0.0] * 12 + [value] + [0.0] * 11
    with pytest.raises(RequestError, match="photo 1: holds NaN or infinity"):
        parse_preprocessed(tensor("FP32", [2, 3, 2, 2], data), LIMITS)


def test_a_shape_is_short_whatever_was_sent() -> None:
    assert format_shape([1, 2]) == "[1,2]"
    assert len(format_shape([10**500] * 100)) <= 80
