"""How many photos a worker takes at a time."""

from __future__ import annotations

import pytest

from serving.predictor.batching.batch_sizing import BatchQuota, batch_quota, desynchronise


@pytest.mark.parametrize(
    ("photos", "workers", "batch", "expected"),
    [
        (0, 2, 2, BatchQuota(1, covers_all=True)),
        (1, 2, 2, BatchQuota(1, covers_all=True)),
        (3, 2, 2, BatchQuota(1, covers_all=True)),
        (8, 2, 2, BatchQuota(4, covers_all=True)),  # two batches
        (7, 2, 2, BatchQuota(2, covers_all=True)),  # three would be a batch and a half
        (17, 2, 2, BatchQuota(8, covers_all=True)),
        (18, 2, 2, BatchQuota(8, covers_all=False)),  # not more: they are prepared before the first is run
        (58, 2, 16, BatchQuota(16, covers_all=False)),  # but for one batch
        (50, 1, 1, BatchQuota(8, covers_all=False)),
        (9, 2, 3, BatchQuota(3, covers_all=True)),
        (5, 8, 4, BatchQuota(1, covers_all=True)),
    ],
)
def test_a_quota_is_whole_batches(photos: int, workers: int, batch: int, expected: BatchQuota) -> None:
    assert batch_quota(photos, workers, batch) == expected


@pytest.mark.parametrize(
    ("part", "waiting", "begun", "workers", "batch", "expected"),
    [
        (BatchQuota(4, covers_all=True), 0, 0, 2, 2, 0),
        (BatchQuota(4, covers_all=True), 4, 0, 2, 2, 4),
        (BatchQuota(4, covers_all=True), 3, 0, 2, 2, 2),  # the other worker will soon be back for the third
        (BatchQuota(4, covers_all=True), 4, 4, 2, 2, 1),  # another worker has as many: desynchronise
        (BatchQuota(4, covers_all=True), 4, 2, 2, 2, 4),  # another has fewer: already desynchronised
        (BatchQuota(8, covers_all=True), 8, 8, 2, 2, 2),
        (BatchQuota(8, covers_all=False), 9, 8, 2, 2, 8),  # more are queued than all workers take
        (BatchQuota(1, covers_all=True), 1, 1, 2, 2, 1),
        (BatchQuota(4, covers_all=True), 4, 12, 8, 2, 4),  # three of eight workers
        (BatchQuota(4, covers_all=True), 4, 16, 8, 2, 1),
    ],
)
def test_a_worker_takes_less_if_it_would_fall_into_step(
    part: BatchQuota, waiting: int, begun: int, workers: int, batch: int, expected: int
) -> None:
    assert desynchronise(part, waiting, begun, workers, batch) == expected
