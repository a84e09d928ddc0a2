"""How many photos a lane takes at a time."""

from __future__ import annotations

import pytest

from serving.predictor.shares import share


@pytest.mark.parametrize(
    ("waiting", "running", "lanes", "batch", "expected"),
    [
        (0, 4, 2, 2, 0),
        (1, 0, 2, 2, 1),
        (2, 1, 2, 2, 1),  # the other lane will soon be back for the second
        (2, 2, 2, 2, 2),
        (3, 4, 2, 2, 2),  # three would be a batch and a half
        (4, 4, 2, 2, 4),  # two batches
        (7, 3, 2, 2, 4),
        (50, 0, 2, 2, 8),  # not more: they are prepared before the first is run
        (50, 8, 2, 16, 16),  # but for one batch
        (50, 0, 1, 1, 8),
        (9, 0, 2, 3, 3),
        (5, 0, 8, 4, 1),
    ],
)
def test_a_lane_takes_its_part_in_whole_batches(
    waiting: int, running: int, lanes: int, batch: int, expected: int
) -> None:
    assert share(waiting, running, lanes, batch) == expected
