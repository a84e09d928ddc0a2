"""Memory for predictions that wait is bounded, and what finds no room is counted."""

from __future__ import annotations

import numpy as np
import pytest
from prometheus_client import REGISTRY

from phytoflow.inference.predictions import Predictions
from serving.predictor.prediction_log import buffer
from serving.predictor.prediction_log.buffer import Inbox, Outbox
from serving.predictor.prediction_log.record import AnsweredRequest

PREDICTIONS = Predictions(np.full((2, 2), 0.5, np.float32), ("a", "b"))


def request(*photos: bytes) -> AnsweredRequest:
    return AnsweredRequest(0, "v1", photos, PREDICTIONS, 0.1, "leaf", "v1", "r")


def dropped() -> float:
    return REGISTRY.get_sample_value("prediction_log_dropped_total", {"reason": "full"}) or 0


def test_requests_are_taken_once_in_order() -> None:
    inbox = Inbox()
    for name in (b"a", b"b"):
        inbox.add(request(name))
    assert [taken.photos for taken in inbox.take()] == [(b"a",), (b"b",)]
    assert inbox.take() == []


def test_too_many_photos_are_dropped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffer, "_MAX_WAITING_PHOTOS", 4)
    inbox, before = Inbox(), dropped()
    for _ in range(3):
        inbox.add(request())
    assert dropped() == before + 2 and len(inbox.take()) == 2
    inbox.add(request())
    assert dropped() == before + 2  # there is room again


def test_too_large_photos_are_not_kept_but_their_predictions_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffer, "_MAX_PHOTO_BYTES", 10)
    inbox, before = Inbox(), dropped()
    inbox.add(request(b"1234567"))
    inbox.add(request(b"1234567"))
    assert [taken.photos for taken in inbox.take()] == [(b"1234567",), ()] and dropped() == before


def test_lines_stay_until_they_are_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(buffer, "_MAX_LINE_BYTES", 10)
    outbox, before = Outbox(), dropped()
    for line in (b"12345", b"6789", b"abc"):
        outbox.add(line)
    assert dropped() == before + 1 and outbox.first(5) == outbox.first(2) == [b"12345", b"6789"]
    outbox.remove(1)
    outbox.add(b"abc")
    assert outbox.first(5) == [b"6789", b"abc"] and len(outbox) == 2
