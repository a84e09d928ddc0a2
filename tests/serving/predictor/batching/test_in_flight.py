"""What the lanes are at."""

from __future__ import annotations

import pytest

from serving.predictor.batching import in_flight as underway
from serving.predictor.batching.in_flight import UnderWay


def test_what_is_run_is_counted() -> None:
    under_way = UnderWay(3)
    first, second = under_way.begin(2), under_way.begin(3)
    assert (under_way.lanes, under_way.photos) == (2, 5)
    under_way.end(2, first)
    under_way.end(3, second)
    assert (under_way.lanes, under_way.photos) == (0, 0)


def test_a_quarter_of_the_last_share_is_soon() -> None:
    under_way = UnderWay(2)
    under_way.end(4, under_way.begin(4) - 0.1)
    assert 0.025 <= under_way.soon < 0.04


def test_soon_is_short_after_a_share_that_took_long() -> None:
    under_way = UnderWay(2)
    under_way.end(1, under_way.begin(1) - 8.0)
    assert under_way.soon == 0.05


def test_what_was_begun_soon_before_is_of_the_other_lanes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(underway, "perf_counter", lambda: now)
    under_way = UnderWay(3)
    under_way.soon, now = 0.05, 1.0
    for photos in (1, 2, 4):
        under_way.begin(photos)
    assert under_way.begun == 6  # the last of two others
    now = 1.06
    assert under_way.begun == 0
