"""Ids of predictions."""

from __future__ import annotations

import uuid

from phytoflow.protocol.prediction_id import new_id


def test_ids_are_unique_and_ordered_by_time() -> None:
    ids = [new_id(ms) for ms in (1, 2, 3, 10**12)]
    assert ids == sorted(ids) and new_id(2) != new_id(2)
    assert all(uuid.UUID(one).version == 7 and uuid.UUID(one).variant == uuid.RFC_4122 for one in ids)
