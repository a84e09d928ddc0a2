from pathlib import Path

import numpy as np

from phytoflow.data.shards.order import OPEN_SHARDS, epoch_order, upcoming_shards
from tests.support.shard_folder import dataset_folder


def test_the_order_stays_within_windows_of_shards() -> None:
    counts = [10] * (2 * OPEN_SHARDS)
    order = epoch_order(counts, (0, 0))
    first = {int(place) // 10 for place in order[: 10 * OPEN_SHARDS]}
    assert len(first) == OPEN_SHARDS
    assert sorted(order.tolist()) == list(range(sum(counts)))
    assert epoch_order([], (0, 0)).tolist() == []


def test_the_shards_fetched_first_are_those_of_the_epochs_order(tmp_path: Path) -> None:
    counts = {"train": 23, "validation": 0, "test": 0}
    shards = dataset_folder(tmp_path, counts, shard_bytes=20_000)
    assert len(shards) > OPEN_SHARDS
    starts = np.cumsum([0, *(shard.count for shard in shards)])
    for seeds in (None, (5, 1)):
        order = np.searchsorted(starts, epoch_order([s.count for s in shards], seeds), side="right") - 1
        read = list(dict.fromkeys(shards[at].file for at in order))  # by first use
        soon = upcoming_shards(shards, seeds)
        assert {shard.file for shard in soon[read[0]][:OPEN_SHARDS]} == set(read[:OPEN_SHARDS])
        last = soon[read[-1]]
        assert {shard.file for shard in last} == set(read[-len(last) :])
        assert soon.keys() == set(read)
