"""Trends agree with a count over the log."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np

from phytoflow.protocol.prediction_id import new_id
from serving.gateway.log import analytics
from serving.gateway.log.database import Database
from serving.gateway.log.journal import Journal
from serving.gateway.log.record import PredictionRecord
from serving.gateway.log.writer import LogWriter
from tests.serving.gateway.log.test_writer import RECORD

START = datetime(2026, 5, 4, tzinfo=UTC)


async def filled(database: Database, folder: Path) -> list[PredictionRecord]:
    """Some hundred predictions over two days."""
    rng = np.random.default_rng(3)
    log = LogWriter(database, Journal(folder, 10**7), 1)
    records = [
        replace(
            RECORD,
            id=new_id(),
            created=START + timedelta(minutes=float(rng.uniform(0, 2880))),
            label=str(rng.choice(["healthy", "rust", "scab"])),
            confidence=float(rng.uniform(0.3, 1)),
            known=[True, False, None][int(rng.integers(3))],
            latency_ms=float(rng.lognormal(3, 0.7)),
            model_version=str(rng.choice(["v1", "v2"])),
            user_id=str(rng.choice(["a" * 32, "b" * 32])),
        )
        for _ in range(400)
    ]
    for record in records:
        log.add(record)
    await log.flush()
    return records


async def test_classes_by_day(database: Database, tmp_path: Path) -> None:
    records = await filled(database, tmp_path)
    range_ = analytics.Range(START, START + timedelta(days=2))
    rows = await analytics.counts_by_class(database, range_, "day")
    assert len(rows) == 6 and sum(row["photos"] for row in rows) == 400
    for row in rows:
        same = [r for r in records if r.label == row["label"] and r.created.date() == row["time"].date()]
        assert row["photos"] == len(same)
        assert row["unknown"] == sum(r.known is False for r in same)
        assert np.isclose(row["mean_confidence"], np.mean([r.confidence for r in same]))


async def test_a_version_alone(database: Database, tmp_path: Path) -> None:
    records = await filled(database, tmp_path)
    range_ = analytics.Range(START, START + timedelta(days=1), "v2")
    rows = await analytics.counts_by_class(database, range_, "hour")
    wanted = [r for r in records if r.model_version == "v2" and r.created < START + timedelta(days=1)]
    assert sum(row["photos"] for row in rows) == len(wanted)
    assert {row["version"]: row["photos"] for row in await analytics.versions(database, range_)} == {
        "v2": len(wanted)
    }


async def test_percentiles_are_right_within_a_few_per_cent(database: Database, tmp_path: Path) -> None:
    records = await filled(database, tmp_path)
    range_ = analytics.Range(START, START + timedelta(days=2))
    for row in await analytics.latency_percentiles(database, range_, "day"):
        same = [r.latency_ms for r in records if r.created.date() == row["time"].date()]
        for name, share in (("p50_ms", 50), ("p90_ms", 90)):
            assert abs(row[name] / np.percentile(same, share) - 1) < 0.05


async def test_users(database: Database, tmp_path: Path) -> None:
    records = await filled(database, tmp_path)
    rows = await analytics.users(database, START, START + timedelta(days=2))
    assert {row["user_id"]: row["photos"] for row in rows} == {
        user: sum(r.user_id == user for r in records) for user in ("a" * 32, "b" * 32)
    }
    assert rows[0]["photos"] >= rows[1]["photos"]


def test_csv_is_no_formula() -> None:
    text = analytics.as_csv([{"label": "=cmd()", "photos": 2}, {"label": "rust, red", "photos": 1}])
    assert text == 'label,photos\n\'=cmd(),2\n"rust, red",1\n'
