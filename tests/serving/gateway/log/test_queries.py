"""Reading the log on both kinds of database."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from phytoflow.protocol.prediction_id import new_id
from serving.gateway.log import queries
from serving.gateway.log.database import Database
from serving.gateway.log.journal import Journal
from serving.gateway.log.writer import LogWriter
from tests.serving.gateway.log.test_writer import RECORD


async def fill(database: Database, folder: Path, *labels: str, user: str) -> list[str]:
    """Logs a prediction of a user for each label; their ids."""
    log = LogWriter(database, Journal(folder / "journal", 10**7), 0.05)
    ids = [new_id() for _ in labels]
    for id_, label in zip(ids, labels, strict=True):
        log.add(replace(RECORD, id=id_, label=label, user_id=user))
    assert await log.flush()
    await log.close()
    return ids


async def test_each_class_of_a_user_is_listed_once(database: Database, tmp_path: Path) -> None:
    await fill(database, tmp_path, "scab", "rust", "scab", "healthy", "rust", user="a" * 32)
    await fill(database, tmp_path, "mosaic", user="b" * 32)
    assert await queries.labels_of(database, "a" * 32) == ["healthy", "rust", "scab"]
    assert await queries.labels_of(database, "b" * 32) == ["mosaic"]
    assert await queries.labels_of(database, "c" * 32) == []


async def test_the_newest_predictions_of_a_class_come_first(database: Database, tmp_path: Path) -> None:
    ids = await fill(database, tmp_path, "scab", "rust", "scab", "scab", user="a" * 32)
    filters = queries.Filters(user_id="a" * 32, label="scab")
    first = await queries.list_predictions(database, filters, 2)
    assert [row.id for row in first] == [ids[3], ids[2]]
    rest = await queries.list_predictions(database, replace(filters, before=ids[2]), 2)
    assert [row.id for row in rest] == [ids[0]]
