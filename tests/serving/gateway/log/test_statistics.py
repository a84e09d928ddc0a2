"""Counts by hour, and by day once they are old."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from serving.gateway.log import analytics, statistics
from serving.gateway.log.database import Database
from serving.gateway.log.statistics import bucket_latency, latency_bucket
from serving.gateway.log.tables import HourlyCount
from tests.serving.gateway.log.test_analytics import START, filled


@pytest.mark.parametrize("milliseconds", [0.0, 0.01, 0.7, 1.0, 12.5, 60_000.0])
def test_a_bucket_is_within_a_few_per_cent_of_its_latencies(milliseconds: float) -> None:
    middle = bucket_latency(latency_bucket(milliseconds))
    assert middle == pytest.approx(max(milliseconds, 0.01), rel=0.026)


async def test_old_hours_become_days_and_every_sum_stays(database: Database, tmp_path: Path) -> None:
    """Also where two replicas do it at the same time, and again later."""
    await filled(database, tmp_path)
    everything = analytics.Range(START, START + timedelta(days=2))
    asked = (
        lambda: analytics.counts_by_class(database, everything, "day"),
        lambda: analytics.latency_percentiles(database, everything, "day"),
    )
    before = [await ask() for ask in asked]
    second_day = START + timedelta(days=1)
    for _ in range(2):
        await asyncio.gather(*(statistics.compact(database, second_day) for _ in range(2)))
    after = [await ask() for ask in asked]
    assert before[1] == after[1] and len(before[0]) == len(after[0])
    for old, new in zip(before[0], after[0], strict=True):
        assert new == old | {"mean_confidence": pytest.approx(old["mean_confidence"])}
    async with database.connection() as connection:
        hours = select(HourlyCount.hour).distinct()
        first = list(await connection.scalars(hours.where(HourlyCount.hour < second_day)))
        later = await connection.scalar(
            select(func.count()).select_from(hours.where(HourlyCount.hour >= second_day).subquery())
        )
    assert first == [START] and later and later > 12
