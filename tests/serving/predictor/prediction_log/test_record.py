"""Answered requests become what the gateway's log takes."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime

import numpy as np
import orjson

from phytoflow.inference.predictions import Predictions
from serving.predictor.prediction_log.record import AnsweredRequest, encode_lines

PREDICTIONS = Predictions(
    np.array([[0.2, 0.7, 0.1], [0.5, 0.1, 0.4]], np.float32),
    ("healthy", "rust", "scab"),
    np.array([0.5, 1.5], np.float32),
    np.array([[1, 2.5], [3, -4]], np.float32),
)
REQUEST = AnsweredRequest(
    1_780_000_000.25,
    "v2-rest",
    [b"one", np.zeros((2, 2, 3), np.uint8)],
    PREDICTIONS,
    0.0125,
    "leaf",
    "v1",
    "r\0\n1",
)


def test_each_photo_has_a_line() -> None:
    first, second = map(orjson.loads, encode_lines(REQUEST, features=True))
    assert first["id"] != second["id"] and len(first["id"]) == 32
    assert datetime.fromisoformat(first["created"]).timestamp() == REQUEST.created
    assert (first["label"], second["label"]) == ("rust", "healthy")
    assert first["confidence"] == first["top"][0][1] == np.float32(0.7)
    assert [name for name, _ in second["top"]] == ["healthy", "scab", "rust"]
    assert (first["known"], second["known"], second["novelty"]) == (True, False, 1.5)
    assert (first["latency_ms"], first["model"], first["model_version"]) == (12.5, "leaf", "v1")
    packed = np.frombuffer(base64.b64decode(second["features"]), "<f2")
    assert packed.tolist() == [3, -4]


def test_files_are_hashed_and_pixels_are_not() -> None:
    hashes = [orjson.loads(line)["photo_sha256"] for line in encode_lines(REQUEST, features=False)]
    assert hashes == [hashlib.sha256(b"one").hexdigest(), ""]


def test_what_a_bundle_lacks_is_null() -> None:
    plain = Predictions(PREDICTIONS.probabilities, PREDICTIONS.classes)
    line = orjson.loads(next(encode_lines(REQUEST._replace(predictions=plain, photos=()), features=True)))
    assert (line["known"], line["novelty"], line["features"], line["photo_sha256"]) == (None, None, None, "")


def test_a_clients_request_id_is_made_printable_and_short() -> None:
    line = orjson.loads(next(encode_lines(REQUEST, features=False)))
    assert line["request_id"] == "r1"
    long = orjson.loads(next(encode_lines(REQUEST._replace(request_id="x" * 300), features=False)))
    assert long["request_id"] == "x" * 64
