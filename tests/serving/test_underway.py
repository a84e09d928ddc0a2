"""What the lanes are at."""

from __future__ import annotations

import time

from serving.predictor.underway import UnderWay


def test_what_is_run_is_counted() -> None:
    under_way = UnderWay(3)
    first, second = under_way.begin(2), under_way.begin(3)
    assert (under_way.lanes, under_way.photos) == (2, 5)
    under_way.end(2, first)
    under_way.end(3, second)
    assert (under_way.lanes, under_way.photos) == (0, 0)


def test_a_quarter_of_the_last_share_is_soon() -> None:
    under_way = UnderWay(2)
    under_way.end(4, under_way.begin(4) - 8.0)
    assert 2.0 <= under_way.soon < 2.1


def test_what_was_begun_soon_before_is_of_the_other_lanes() -> None:
    under_way = UnderWay(3)
    under_way.soon = 0.05
    for photos in (1, 2, 4):
        under_way.begin(photos)
    assert under_way.begun == 6  # the last of two others
    time.sleep(0.06)
    assert under_way.begun == 0
