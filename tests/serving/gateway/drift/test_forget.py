"""Ids of removed predictions, on both kinds of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import delete

from phytoflow.monitoring.monitor import Monitor
from phytoflow.protocol.prediction_id import new_id
from serving.gateway.drift import tables
from serving.gateway.drift.forget import forget_removed
from serving.gateway.log.database import Database
from serving.gateway.log.journal import Journal
from serving.gateway.log.tables import Prediction
from serving.gateway.log.writer import LogWriter
from tests.serving.gateway.log.test_writer import RECORD
from tests.support.drift import draw, draw_reference

PHOTOS = 60


async def fill(database: Database, folder: Path) -> tuple[list[str], tuple[str, ...]]:
    """An alarm over logged predictions: their ids, and those that it names."""
    ids = [new_id(1000 + number) for number in range(PHOTOS)]
    log = LogWriter(database, Journal(folder / "journal", 10**7), 0.05)
    for id_ in ids:
        log.add(replace(RECORD, id=id_, features=None))
    assert await log.flush()
    monitor = Monitor(draw_reference(0, 300))
    photos = draw(np.random.default_rng(2), PHOTOS, moved=3.0)
    state, _ = monitor.advance(monitor.start(), photos, ids)
    assessment, now = monitor.assess(state), datetime.now(UTC)
    async with database.connection() as connection:
        await tables.lock_state(database, connection, "v1")
        await tables.store_state(connection, "v1", state, assessment, now, now)
        await tables.add_event(connection, "v1", "alarm", assessment)
    return ids, assessment.strangest


async def test_removed_predictions_are_named_nowhere_and_others_stay(
    database: Database, tmp_path: Path
) -> None:
    ids, strangest = await fill(database, tmp_path)
    assert len(strangest) > 1
    gone = {strangest[0], ids[0]}
    async with database.connection() as connection:
        await connection.execute(delete(Prediction).where(Prediction.id.in_(gone)))
    await forget_removed(database)
    (row,) = await tables.read_states(database)
    assert row.state and row.assessment
    assert set(row.state.names) == {*ids, ""} - gone and len(row.state.recent) == PHOTOS
    left = tuple(name for name in strangest if name not in gone)
    (event,) = await tables.read_events(database)
    assert row.assessment.strangest == tuple(event["evidence"]["strangest"]) == left
    assert row.photos == PHOTOS


async def test_without_removed_predictions_nothing_is_written(database: Database, tmp_path: Path) -> None:
    await forget_removed(database)  # an empty database
    ids, _ = await fill(database, tmp_path)
    (before,) = await tables.read_states(database)
    await forget_removed(database)
    (after,) = await tables.read_states(database)
    assert after.state and after.state.names == tuple(ids) and after.updated == before.updated
