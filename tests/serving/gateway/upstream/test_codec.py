"""The V2 body without copies, and answers with and without raw outputs."""

import json
import struct

import numpy as np
import pytest

from serving.gateway.upstream.codec import decode_response, encode_request


def test_photos_are_not_copied() -> None:
    photos = [bytearray(b"one"), b"photo two"]
    head, buffers = encode_request(photos, ["labels", "features"], {"top_k": 3}, "id-1")
    assert buffers[2] is photos[0] and buffers[4] is photos[1]
    assert b"".join(buffers) == head + struct.pack("<I", 3) + b"one" + struct.pack("<I", 9) + b"photo two"
    document = json.loads(head)
    assert document["inputs"][0]["parameters"]["binary_data_size"] == 3 + 9 + 8
    assert document["outputs"] == [
        {"name": "labels"},
        {"name": "features", "parameters": {"binary_data": True}},
    ]


def response(**changes: object) -> dict[str, object]:
    outputs = [
        {"name": "labels", "shape": [2, 2], "data": ["a", "b", "b", "a"]},
        {"name": "scores", "shape": [2, 2], "data": [0.75, 0.25, 0.5, 0.5]},
        {"name": "probabilities", "shape": [2, 2], "data": [0.75, 0.25, 0.5, 0.5]},
        {"name": "known", "shape": [2], "data": [True, False]},
        {"name": "novelty", "shape": [2], "data": [0.1, 3.5]},
        {"name": "explanation", "shape": [2, 2, 2], "data": [0, 0.5, 1, 0, 1, 1, 0, 0]},
    ]
    return {"model_version": "v1", "outputs": outputs} | changes


def test_rows_are_told_apart() -> None:
    result = decode_response(json.dumps(response()).encode(), None)
    first, second = result.photos
    assert (first.labels, second.labels, result.model_version) == (["a", "b"], ["b", "a"], "v1")
    assert (first.known, second.known, second.novelty) == (True, False, 3.5)
    assert first.explanation == [[0, 0.5], [1, 0]] and first.features is None


def test_raw_features() -> None:
    values = np.array([[1.5, 2.5, -3.0], [0.0, 1.0, 2.0]], np.float32)
    document = response()
    document["outputs"].append(  # type: ignore[union-attr]
        {"name": "features", "shape": [2, 3], "parameters": {"binary_data_size": values.nbytes}}
    )
    head = json.dumps(document).encode()
    result = decode_response(head + values.tobytes(), len(head))
    assert [photo.features.tolist() for photo in result.photos] == values.tolist()  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b'{"outputs": []}', b'{"model_version": 1, "outputs": [{}]}']
)
def test_other_answers_are_told(body: bytes) -> None:
    with pytest.raises((ValueError, KeyError, TypeError, IndexError)):
        decode_response(body, None)
