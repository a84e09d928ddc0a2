"""Trends: from the hourly counts, never from a scan of the log."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import JSON, ColumnElement, String, cast, func, select

from serving.gateway.log.database import Database
from serving.gateway.log.statistics import bucket_latency
from serving.gateway.log.tables import DailyUser, HourlyCount, HourlyLatency

Period = Literal["hour", "day"]
_PERCENTILES = {"p50_ms": 0.50, "p90_ms": 0.90, "p99_ms": 0.99}


@dataclass(frozen=True)
class Range:
    """What is counted.

    Attributes:
        since: First hour.
        until: First hour that no longer counts.
        version: Model version; None: all.
    """

    since: datetime
    until: datetime
    version: str | None = None

    def of(self, table: type[HourlyCount] | type[HourlyLatency]) -> list[ColumnElement[bool]]:
        """The conditions on a table."""
        conditions = [table.hour >= self.since, table.hour < self.until]
        return conditions if self.version is None else [*conditions, table.model_version == self.version]


async def counts_by_class(database: Database, range_: Range, period: Period) -> list[dict[str, Any]]:
    """Photos, mean confidence and unknown share of each class in each period."""
    time = _period_of(database, HourlyCount, period)
    query = (
        select(
            time,
            HourlyCount.label,
            func.sum(HourlyCount.photos),
            func.sum(HourlyCount.confidence_sum),
            func.sum(HourlyCount.photos).filter(HourlyCount.known == 0),
        )
        .where(*range_.of(HourlyCount))
        .group_by(time, HourlyCount.label)
    )
    sums: dict[tuple[datetime, str], list[float]] = defaultdict(lambda: [0, 0.0, 0])
    async with database.connection() as connection:
        for hour, label, photos, confidence, unknown in await connection.execute(query):
            cell = sums[_moment(hour), label]
            for i, value in enumerate((photos, confidence, unknown or 0)):
                cell[i] += float(value)
    return [
        {
            "time": time,
            "label": label,
            "photos": int(photos),
            "mean_confidence": confidence / photos,
            "unknown": int(unknown),
        }
        for (time, label), (photos, confidence, unknown) in sorted(sums.items())
    ]


async def latency_percentiles(database: Database, range_: Range, period: Period) -> list[dict[str, Any]]:
    """Latency percentiles of each period, within 2.5 per cent."""
    time = _period_of(database, HourlyLatency, period).label("time")
    photos = func.sum(HourlyLatency.photos).label("photos")
    cells = select(time, HourlyLatency.bucket, photos).where(*range_.of(HourlyLatency))
    sums = cells.group_by(time, HourlyLatency.bucket).subquery()
    # One row for each period: a year has a hundred times as many buckets, each of which would be a row.
    pack = func.json_group_object if database.is_sqlite else func.json_object_agg
    query = select(sums.c.time, pack(sums.c.bucket, sums.c.photos, type_=JSON)).group_by(sums.c.time)
    buckets: dict[datetime, dict[int, int]] = {}
    async with database.connection() as connection:
        for moment, packed in await connection.execute(query):
            buckets[_moment(moment)] = {int(bucket): int(count) for bucket, count in packed.items()}
    return [
        {"time": time, "photos": sum(cells.values())}
        | {name: percentile(cells, share) for name, share in _PERCENTILES.items()}
        for time, cells in sorted(buckets.items())
    ]


async def versions(database: Database, range_: Range) -> list[dict[str, Any]]:
    """Photos, mean confidence and unknown share of each model version."""
    query = (
        select(
            HourlyCount.model_version,
            func.sum(HourlyCount.photos),
            func.sum(HourlyCount.confidence_sum),
            func.sum(HourlyCount.photos).filter(HourlyCount.known == 0),
            func.min(HourlyCount.hour),
            func.max(HourlyCount.hour),
        )
        .where(*range_.of(HourlyCount))
        .group_by(HourlyCount.model_version)
        .order_by(func.min(HourlyCount.hour))
    )
    async with database.connection() as connection:
        rows = (await connection.execute(query)).all()
    return [
        {
            "version": version,
            "photos": int(photos),
            "mean_confidence": float(confidence) / int(photos),
            "unknown": int(unknown or 0),
            "first": first,
            "last": last,
        }
        for version, photos, confidence, unknown, first, last in rows
    ]


async def users(database: Database, since: datetime, until: datetime) -> list[dict[str, Any]]:
    """Photos and unknown ones of each user, most active first."""
    photos = func.sum(DailyUser.photos)
    query = (
        select(DailyUser.user_id, photos, func.sum(DailyUser.unknown))
        .where(DailyUser.day >= since, DailyUser.day < until)
        .group_by(DailyUser.user_id)
        .order_by(photos.desc())
    )
    async with database.connection() as connection:
        rows = (await connection.execute(query)).all()
    return [{"user_id": user, "photos": int(count), "unknown": int(odd)} for user, count, odd in rows]


def percentile(buckets: dict[int, int], share: float) -> float:
    """The latency below which a share of the photos lies, in milliseconds."""
    wanted, seen = share * sum(buckets.values()), 0
    for bucket in sorted(buckets):
        seen += buckets[bucket]
        if seen >= wanted:
            return round(bucket_latency(bucket), 3)
    return 0.0


def _period_of(
    database: Database, table: type[HourlyCount] | type[HourlyLatency], period: Period
) -> ColumnElement[Any]:
    """The hour, or its day in UTC, as the database groups by it."""
    if period == "hour":
        return table.hour.expression
    if database.is_sqlite:
        return func.substr(cast(table.hour, String), 1, 10)  # stored as text in UTC
    return func.date_trunc("day", table.hour, "UTC")


def _moment(period: datetime | str) -> datetime:
    moment = datetime.fromisoformat(period) if isinstance(period, str) else period
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def as_csv(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as CSV; values that a spreadsheet would take for a formula are quoted with an apostrophe."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, list(rows[0]) if rows else ["empty"], lineterminator="\n")
    writer.writeheader()
    writer.writerows({key: _plain(value) for key, value in row.items()} for row in rows)
    return buffer.getvalue()


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return f"'{value}" if isinstance(value, str) and value[:1] in "=+-@\t\r" else value
