"""Counts by hour, kept with each batch of predictions, so that trends need no scan of the log."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from serving.gateway.log.database import Database
from serving.gateway.log.tables import Base, DailyUser, HourlyCount, HourlyLatency

_GROWTH = 1.05  # from one latency bucket to the next: percentiles are right within 2.5%

Key = tuple[Any, ...]
Sums = dict[Key, list[float]]


def latency_bucket(milliseconds: float) -> int:
    """Bucket of a latency; bucket b holds 1.05^b to 1.05^(b+1) ms."""
    return math.floor(math.log(max(milliseconds, 0.01)) / math.log(_GROWTH))


def bucket_latency(bucket: int) -> float:
    """Geometric middle of a bucket, in milliseconds."""
    return _GROWTH ** (bucket + 0.5)


async def count(database: Database, connection: AsyncConnection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Adds rows that were newly inserted to the counts, in the same transaction."""
    counts: Sums = defaultdict(lambda: [0, 0.0])
    latencies: Sums = defaultdict(lambda: [0])
    users: Sums = defaultdict(lambda: [0, 0])
    for row in rows:
        created: datetime = row["created"]
        hour = created.replace(minute=0, second=0, microsecond=0)
        known = -1 if row["known"] is None else int(row["known"])
        _add(counts[hour, row["model_version"], row["label"], known], 1, row["confidence"])
        _add(latencies[hour, row["model_version"], latency_bucket(row["latency_ms"])], 1)
        if row["user_id"]:
            _add(users[hour.replace(hour=0), row["user_id"]], 1, int(known == 0))
    await _upsert(database, connection, HourlyCount, counts, ("photos", "confidence_sum"))
    await _upsert(database, connection, HourlyLatency, latencies, ("photos",))
    await _upsert(database, connection, DailyUser, users, ("photos", "unknown"))


def _add(sums: list[float], *values: float) -> None:
    for i, value in enumerate(values):
        sums[i] += value


async def _upsert(
    database: Database, connection: AsyncConnection, table: type[Base], sums: Sums, columns: tuple[str, ...]
) -> None:
    keys = [column.name for column in table.__table__.primary_key]
    # In one order everywhere: two replicas that update the same rows must not wait for each other.
    rows = [dict(zip((*keys, *columns), (*key, *sums[key]), strict=True)) for key in sorted(sums)]
    if not rows:
        return
    insert = database.insert(table)
    added = {name: getattr(table, name) + insert.excluded[name] for name in columns}
    await connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=added), rows)
