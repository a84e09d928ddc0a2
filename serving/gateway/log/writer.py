"""Loads the journal into the database, in batches, again and again until it succeeds."""

from __future__ import annotations

import asyncio
import itertools
import logging
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.gateway.log import statistics
from serving.gateway.log.database import UNAVAILABLE, Database, refuses_values
from serving.gateway.log.journal import Journal, read_segment
from serving.gateway.log.record import PredictionRecord, row_of
from serving.gateway.log.tables import Prediction, PredictionFeatures, Unmonitored
from serving.gateway.metrics import DATABASE_UP, LOGGED, SPILLED

_LOG = logging.getLogger(__name__)
_BATCH = 200  # rows of one transaction: the event loop is held up for a few milliseconds by each
_MAX_PAUSE_SECONDS = 10.0


class LogWriter:
    """The prediction log: a prediction is safe once ``add`` returns, and soon in the database.

    Args:
        database: Where predictions go.
        journal: Where they are in the meantime.
        flush_seconds: Pause between two loads.
        monitored: Whether a drift monitor is to take the champion's predictions.
    """

    def __init__(
        self, database: Database, journal: Journal, flush_seconds: float, *, monitored: bool = False
    ) -> None:
        self._database, self._journal, self._pause = database, journal, flush_seconds
        self._monitored = monitored
        self._stored: set[str] = set()  # photos stored since the last load
        self._lock = asyncio.Lock()
        self._spilled: set[Path] = set()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begins to load."""
        self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Loads what is left, if the database is there, and ends."""
        if self._task:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self.flush()
        self._journal.close()

    def add(self, record: PredictionRecord) -> bool:
        """Remembers a prediction; False if it had to be dropped."""
        return self.add_line(record.line())

    def add_line(self, line: dict[str, Any]) -> bool:
        """Remembers a prediction that is in the journal's form already."""
        return self._journal.append(line)

    def forget(self, user_id: str) -> None:
        """Removes a user's records from those that the database refused."""
        self._journal.forget(user_id)

    def mark_stored(self, photo_sha256: str) -> None:
        """Notes that a photo is in the store; written with the next load."""
        self._stored.add(photo_sha256)

    async def flush(self) -> bool:
        """Loads everything that was added before; False if the database is away."""
        async with self._lock:
            # Before the segments are closed: the prediction of each of these photos is in one of them.
            stored, self._stored = self._stored, set()
            segments = await asyncio.to_thread(self._journal.segments)
            try:
                for segment in segments:
                    await self._load(segment)
                    self._journal.remove(segment)
                    self._spilled.discard(segment)
                await self._mark(stored)
                stored = set()
            except UNAVAILABLE as error:
                self._count_spilled(segments)
                _LOG.warning("predictions wait on disk, the database is away: %s", str(error).splitlines()[0])
                return False
            finally:
                self._stored |= stored
        return True

    async def _run(self) -> None:
        pause = self._pause
        while True:
            await asyncio.sleep(pause)
            try:
                up = await self.flush()
            except Exception:  # whatever it is, later predictions must not wait for ever
                _LOG.exception("predictions could not be loaded")
                up = False
            DATABASE_UP.set(up)
            pause = self._pause if up else min(2 * max(pause, 0.5), _MAX_PAUSE_SECONDS)

    async def _load(self, segment: Path) -> None:
        records = await asyncio.to_thread(self._read, segment)
        for start in range(0, len(records), _BATCH):
            await self._insert(records[start : start + _BATCH])

    def _read(self, segment: Path) -> list[dict[str, Any]]:
        rows = []
        for line in read_segment(segment):
            try:
                rows.append(row_of(line))
            except (KeyError, TypeError, ValueError):
                self._journal.refuse(line)
        return rows

    async def _insert(self, rows: list[dict[str, Any]]) -> None:
        """Inserts rows that are not there yet; one that the database refuses keeps no other back."""
        try:
            await self._insert_together(rows)
        except SQLAlchemyError as error:
            if not refuses_values(error):
                raise
            if len(rows) == 1:
                _LOG.error("a prediction was set aside: %s", str(error).splitlines()[0][:500])
                await asyncio.to_thread(self._journal.refuse, _printable(rows[0]))
                return
            for half in (rows[: len(rows) // 2], rows[len(rows) // 2 :]):
                await self._insert(half)

    async def _insert_together(self, rows: list[dict[str, Any]]) -> None:
        """Inserts rows in one transaction; a segment that is loaded twice counts once."""
        # Rows are passed separately from the statement, so that it is compiled once for any number of rows.
        insert = self._database.insert(Prediction).on_conflict_do_nothing().returning(Prediction.id)
        plain = [{name: value for name, value in row.items() if name != "features"} for row in rows]
        features = {row["id"]: row["features"] for row in rows}
        async with self._database.connection() as connection:
            new = {id_ for (id_,) in await connection.execute(insert, plain)}
            packed = [{"prediction_id": i, "features": features[i]} for i in new if features[i] is not None]
            if packed:
                await connection.execute(self._database.insert(PredictionFeatures), packed)
            await self._queue(connection, [row for row in plain if row["id"] in new])
            await statistics.count(self._database, connection, [row for row in plain if row["id"] in new])
        LOGGED.inc(len(new))

    async def _queue(self, connection: AsyncConnection, rows: list[dict[str, Any]]) -> None:
        """Queues new predictions for the drift monitor, oldest first."""
        ids = sorted(row["id"] for row in rows if row["role"] == "champion")
        if self._monitored and ids:
            await connection.execute(
                self._database.insert(Unmonitored), [{"prediction_id": id_} for id_ in ids]
            )

    async def _mark(self, stored: set[str]) -> None:
        for hashes in _chunks(stored, _BATCH):
            marked = update(Prediction).where(Prediction.photo_sha256.in_(hashes)).values(photo_stored=True)
            async with self._database.connection() as connection:
                await connection.execute(marked)

    def _count_spilled(self, segments: Iterable[Path]) -> None:
        for segment in segments:
            if segment not in self._spilled and segment.exists():
                self._spilled.add(segment)
                SPILLED.inc(segment.read_bytes().count(b"\n"))


def _printable(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON takes it, without its features."""
    return {name: value for name, value in row.items() if name != "features"}


def _chunks(values: Iterable[str], size: int) -> Iterable[list[str]]:
    iterator = iter(values)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk
