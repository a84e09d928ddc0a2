"""How many photos a lane takes at a time."""

from __future__ import annotations

import pytest

from serving.predictor.batching.batch_sizing import Share, out_of_step, share


@pytest.mark.parametrize(
    ("photos", "lanes", "batch", "expected"),
    [
        (0, 2, 2, Share(1, whole=True)),
        (1, 2, 2, Share(1, whole=True)),
        (3, 2, 2, Share(1, whole=True)),
        (8, 2, 2, Share(4, whole=True)),  # two batches
        (7, 2, 2, Share(2, whole=True)),  # three would be a batch and a half
        (17, 2, 2, Share(8, whole=True)),
        (18, 2, 2, Share(8, whole=False)),  # not more: they are prepared before the first is run
        (58, 2, 16, Share(16, whole=False)),  # but for one batch
        (50, 1, 1, Share(8, whole=False)),
        (9, 2, 3, Share(3, whole=True)),
        (5, 8, 4, Share(1, whole=True)),
    ],
)
def test_a_lanes_part_is_whole_batches(photos: int, lanes: int, batch: int, expected: Share) -> None:
    assert share(photos, lanes, batch) == expected


@pytest.mark.parametrize(
    ("part", "waiting", "begun", "lanes", "batch", "expected"),
    [
        (Share(4, whole=True), 0, 0, 2, 2, 0),
        (Share(4, whole=True), 4, 0, 2, 2, 4),
        (Share(4, whole=True), 3, 0, 2, 2, 2),  # the other lane will soon be back for the third
        (Share(4, whole=True), 4, 4, 2, 2, 1),  # beside a lane with as many: out of step with it
        (Share(4, whole=True), 4, 2, 2, 2, 4),  # beside one with fewer they are out of step already
        (Share(8, whole=True), 8, 8, 2, 2, 2),
        (Share(8, whole=False), 9, 8, 2, 2, 8),  # more wait than all lanes take: nobody waits for photos
        (Share(1, whole=True), 1, 1, 2, 2, 1),
        (Share(4, whole=True), 4, 12, 8, 2, 4),  # three of eight lanes
        (Share(4, whole=True), 4, 16, 8, 2, 1),
    ],
)
def test_a_lane_takes_less_where_it_would_fall_into_step(
    part: Share, waiting: int, begun: int, lanes: int, batch: int, expected: int
) -> None:
    assert out_of_step(part, waiting, begun, lanes, batch) == expected
