"""What the workers are at."""

from __future__ import annotations

import pytest

from serving.predictor.batching import in_flight as module
from serving.predictor.batching.in_flight import InFlight


def test_what_is_run_is_counted() -> None:
    in_flight = InFlight(3)
    first, second = in_flight.begin(2), in_flight.begin(3)
    assert (in_flight.workers, in_flight.photos) == (2, 5)
    in_flight.end(2, first)
    in_flight.end(3, second)
    assert (in_flight.workers, in_flight.photos) == (0, 0)


def test_a_quarter_of_the_last_share_is_soon() -> None:
    in_flight = InFlight(2)
    in_flight.end(4, in_flight.begin(4) - 0.1)
    assert 0.025 <= in_flight.recent_seconds < 0.04


def test_soon_is_short_after_a_share_that_took_long() -> None:
    in_flight = InFlight(2)
    in_flight.end(1, in_flight.begin(1) - 8.0)
    assert in_flight.recent_seconds == 0.05


def test_what_was_begun_soon_before_is_of_the_other_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "perf_counter", lambda: now)
    in_flight = InFlight(3)
    in_flight.recent_seconds, now = 0.05, 1.0
    for photos in (1, 2, 4):
        in_flight.begin(photos)
    assert in_flight.recently_begun == 6  # the last of two others
    now = 1.06
    assert in_flight.recently_begun == 0
