"""Ids of predictions."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

from phytoflow.protocol.prediction_id import new_id


def test_ids_are_unique_and_ordered_by_time() -> None:
    ids = [new_id(ms) for ms in (1, 2, 3, 10**12)]
    assert ids == sorted(ids) and new_id(2) != new_id(2)
    assert all(uuid.UUID(one).version == 7 and uuid.UUID(one).variant == uuid.RFC_4122 for one in ids)
    assert [uuid.UUID(one).int >> 80 for one in ids] == [1, 2, 3, 10**12]


def test_ids_of_one_millisecond_are_in_order_and_hard_to_guess() -> None:
    ids = [new_id(1000) for _ in range(5000)]
    assert ids == sorted(set(ids))
    numbers = [uuid.UUID(one).int for one in ids]
    steps = {after - before for before, after in pairwise(numbers)}
    assert len(steps) > 4990
    assert {uuid.UUID(one).version for one in ids} == {7}


def test_ids_of_threads_are_unique() -> None:
    with ThreadPoolExecutor(8) as threads:
        ids = list(threads.map(lambda _: new_id(7), range(5000)))
    assert len(set(ids)) == 5000
