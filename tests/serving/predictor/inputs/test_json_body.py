"""Bodies that are JSON, and what is said of those that are not."""

from __future__ import annotations

import pytest

from serving.predictor.errors import RequestError
from serving.predictor.inputs.json_body import parse_json
from tests.support.photo_folder import encoded, picture

PHOTO = picture(1)


def test_json_is_parsed_from_bytes_and_from_a_part_of_them() -> None:
    body = b'{"instances": []}rest'
    assert parse_json(body[:-4]) == parse_json(memoryview(body)[:-4]) == {"instances": []}


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_photo_sent_as_it_is_is_named(format: str) -> None:
    with pytest.raises(RequestError, match="not JSON but an encoded photo; send") as refusal:
        parse_json(encoded(PHOTO, format))
    assert (refusal.value.status, refusal.value.reason) == (400, "malformed")


def test_a_form_is_named() -> None:
    with pytest.raises(RequestError, match="not JSON but a multipart form; send"):
        parse_json(b"--x\r\nContent-Disposition: form-data\r\n\r\nphoto\r\n--x--")


@pytest.mark.parametrize("body", [b"", b"instances", b"{", b'"\xff"', b"-", b"B"])
def test_anything_else_names_the_byte(body: bytes) -> None:
    with pytest.raises(RequestError, match=r"the body is not JSON: .* at byte \d+"):
        parse_json(body)
