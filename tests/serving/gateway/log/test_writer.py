"""Predictions reach the database once, whatever happens on the way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import func, select

from phytoflow.protocol.prediction_id import new_id
from serving.gateway.log.database import Database
from serving.gateway.log.journal import Journal
from serving.gateway.log.record import PredictionRecord
from serving.gateway.log.tables import DailyUser, HourlyCount, HourlyLatency, Prediction, PredictionFeatures
from serving.gateway.log.writer import LogWriter
from serving.gateway.metrics import REGISTRY

RECORD = PredictionRecord(
    id=new_id(),
    created=datetime(2026, 5, 4, 10, 30, tzinfo=UTC),
    user_id="u" * 32,
    user_name="Anna",
    source="rest",
    file_name="Löwenzahn #1.jpg",
    photo_sha256="a" * 64,
    label="healthy",
    confidence=0.875,
    known=True,
    novelty=0.5,
    top=[["healthy", 0.875], ["rust", 0.125]],
    latency_ms=12.0,
    model="leaf",
    model_version="v1",
    request_id="r",
    features=np.array([1.5, -2.0], np.float16),
)


def writer(database: Database, folder: Path) -> LogWriter:
    return LogWriter(database, Journal(folder, 10**6), 0.05)


async def count(database: Database, table: type) -> int:
    async with database.connection() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())


async def test_a_prediction_is_stored_as_it_was(database: Database, tmp_path: Path) -> None:
    log = writer(database, tmp_path / "journal")
    assert log.add(RECORD) and await log.flush()
    async with database.session() as session:
        row = await session.get_one(Prediction, RECORD.id)
        features = await session.get_one(PredictionFeatures, RECORD.id)
    assert (row.created, row.file_name, row.top) == (RECORD.created, RECORD.file_name, RECORD.top)
    assert (row.known, row.confidence, row.review, row.photo_stored) == (True, 0.875, "none", False)
    assert np.frombuffer(features.features, "<f2").tolist() == [1.5, -2.0]


async def test_counts_follow_the_rows(database: Database, tmp_path: Path) -> None:
    log = writer(database, tmp_path / "journal")
    later = RECORD.created.replace(hour=11)
    log.add(RECORD)
    log.add(replace(RECORD, id=new_id(), known=False, confidence=0.5))
    await log.flush()
    log.add(replace(RECORD, id=new_id(), created=later))
    log.add(replace(RECORD, id=new_id()))
    await log.flush()
    async with database.session() as session:
        cells = await session.scalars(select(HourlyCount).order_by(HourlyCount.hour, HourlyCount.known))
        got = [(c.hour.hour, c.known, c.photos, c.confidence_sum) for c in cells]
        latencies = [
            c.photos for c in await session.scalars(select(HourlyLatency).order_by(HourlyLatency.hour))
        ]
        (user,) = await session.scalars(select(DailyUser))
    assert got == [(10, 0, 1, 0.5), (10, 1, 2, 1.75), (11, 1, 1, 0.875)]
    assert latencies == [3, 1] and (user.photos, user.unknown) == (4, 1)


async def test_a_segment_that_is_loaded_twice_counts_once(database: Database, tmp_path: Path) -> None:
    log = writer(database, tmp_path / "journal")
    for _ in range(2):
        log.add(RECORD)
        await log.flush()
    assert await count(database, Prediction) == 1
    async with database.session() as session:
        assert [c.photos for c in await session.scalars(select(HourlyCount))] == [1]


async def test_what_waited_for_the_database_is_loaded_later(tmp_path: Path) -> None:
    spilled = REGISTRY.get_sample_value("gateway_predictions_spilled_total") or 0
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'gateway.db'}")
    log = writer(database, tmp_path / "journal")
    log.add(RECORD)
    assert not await log.flush()  # there are no tables yet
    assert not await log.flush()
    await database.migrate()
    assert await log.flush() and await count(database, Prediction) == 1
    assert REGISTRY.get_sample_value("gateway_predictions_spilled_total") == spilled + 1
    await database.close()


async def test_stored_photos_are_noted(database: Database, tmp_path: Path) -> None:
    log = writer(database, tmp_path / "journal")
    log.add(RECORD)
    log.mark_stored(RECORD.photo_sha256)
    await log.flush()
    async with database.session() as session:
        assert (await session.get_one(Prediction, RECORD.id)).photo_stored
