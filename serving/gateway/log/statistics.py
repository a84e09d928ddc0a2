"""Counts by hour, kept with each batch of predictions, so that trends need no scan of the log."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.gateway.log.database import Database
from serving.gateway.log.tables import Base, DailyUser, HourlyCount, HourlyLatency

MOST_HOURLY_DAYS = 31
"""Trends by hour reach this far; of older hours only the sum of each day stays."""
_GROWTH = 1.05  # from one latency bucket to the next: percentiles are right within 2.5%

Key = tuple[Any, ...]
Sums = dict[Key, list[float]]
_Hourly = HourlyCount | HourlyLatency


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


async def compact(database: Database, before: datetime) -> None:
    """Sums the hours of each day before a moment up: trends over many days read a twenty-fourth of the rows.

    Rows are taken out and put back in one transaction, so that two replicas cannot count them twice.
    """
    for table, columns in ((HourlyCount, ("photos", "confidence_sum")), (HourlyLatency, ("photos",))):
        days = await _uncompacted_days(database, table, before)
        for day in days:
            await _compact_day(database, table, columns, day)


async def _uncompacted_days(database: Database, table: type[_Hourly], before: datetime) -> list[datetime]:
    query = select(table.hour).where(table.hour < before).distinct()
    async with database.connection() as connection:
        hours = await connection.scalars(query)
        return sorted({hour.replace(hour=0) for hour in hours if hour.hour})


async def _compact_day(
    database: Database, table: type[_Hourly], columns: tuple[str, ...], day: datetime
) -> None:
    keys = [column.name for column in table.__table__.primary_key if column.name != "hour"]
    wanted = [getattr(table, name) for name in (*keys, *columns)]
    hours = delete(table).where(table.hour > day, table.hour < day + timedelta(days=1)).returning(*wanted)
    sums: Sums = defaultdict(lambda: [0] * len(columns))
    async with database.connection() as connection:
        for row in await connection.execute(hours):
            _add(sums[(day, *row[: len(keys)])], *row[len(keys) :])
        await _upsert(database, connection, table, sums, columns)


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
