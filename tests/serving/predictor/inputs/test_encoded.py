"""Encoded photos: prefixed bytes and the spellings of base64."""

from __future__ import annotations

import struct
from base64 import b64encode
from typing import Any

import pytest
from kserve import InferInput

from phytoflow.data.images.limits import LimitNames, Limits
from serving.predictor.errors import RequestError
from serving.predictor.inputs.encoded import parse_file, parse_files
from serving.predictor.inputs.types import RequestLimits

LIMITS = Limits(max_bytes=8, names=LimitNames(max_bytes="--max_photo_bytes"))
PHOTO = b"\xff\xd8photo"  # 7 bytes
TEXT = b64encode(PHOTO).decode()


def tensor(data: Any = None, shape: tuple[int, ...] = (1,), raw: bytes | None = None) -> InferInput:
    made = InferInput("photos", list(shape), "BYTES", data, {})
    made._raw_data = raw
    return made


@pytest.mark.parametrize(
    "value", [PHOTO, TEXT, {"b64": TEXT}, {"image_bytes": {"b64": TEXT}}, {"data": TEXT}]
)
def test_every_spelling_gives_the_file(value: Any) -> None:
    assert parse_file(0, value, LIMITS) == PHOTO


def test_a_data_url_is_told_which_part_to_send() -> None:
    with pytest.raises(RequestError, match=r"photo 1: not valid base64 \(a data: URL; send what follows"):
        parse_file(1, f"data:image/jpeg;base64,{TEXT}", Limits())


@pytest.mark.parametrize(
    "value", [None, 7, [TEXT], {}, {"b64": 7}, {"a": TEXT, "b": TEXT}, {"image": {"url": "x"}}]
)
def test_anything_else_is_told_the_spellings(value: Any) -> None:
    with pytest.raises(RequestError, match=r"photo 3: not a base64 string") as caught:
        parse_file(3, value, LIMITS)
    assert caught.value.status == 400


def test_bytes_are_limited_before_base64_is_decoded() -> None:
    for value in (b"x" * 9, b64encode(b"x" * 9).decode(), "A" * 10**6):
        with pytest.raises(RequestError, match=r"photo 1: .*--max_photo_bytes") as caught:
            parse_file(1, value, LIMITS)
        assert caught.value.status == 413


@pytest.mark.parametrize("text", ["!" * 8, "AAA", "AA\nAA", "_-__"])
def test_base64_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(RequestError, match="photo 0: not valid base64"):
        parse_file(0, text, LIMITS)


def prefixed(*contents: bytes) -> bytes:
    return b"".join(struct.pack("<I", len(content)) + content for content in contents)


def test_prefixed_bytes_are_split() -> None:
    limits = RequestLimits(4, LIMITS, 64)
    assert parse_files(tensor(raw=prefixed(b"one", b"", b"three"), shape=(3,)), limits) == [
        b"one",
        b"",
        b"three",
    ]
    assert parse_files(tensor([[TEXT], [TEXT]], (2, 1)), limits) == [PHOTO, PHOTO]


@pytest.mark.parametrize(
    ("made", "status", "message"),
    [
        (tensor(raw=prefixed(*[b"x"] * 5), shape=(5,)), 413, "more than 4 photos"),
        (tensor(raw=b"\x01\x00", shape=(1,)), 400, "photo 0: its length is cut short"),
        (tensor(raw=prefixed(b"a")[:-1] + b"", shape=(1,)), 400, "photo 0: 1 bytes announced, 0 there"),
        (tensor([TEXT], (2,)), 400, "means 2 photos, the data holds 1"),
        (tensor("text"), 400, "not a list"),
    ],
)
def test_a_tensor_that_does_not_fit_is_refused(made: InferInput, status: int, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        parse_files(made, RequestLimits(4, LIMITS, 64))
    assert caught.value.status == status
