"""Housekeeping: what is past its time is removed."""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select, update

from phytoflow.protocol.prediction_id import new_id
from serving.gateway.jobs.queue import TaskQueue
from serving.gateway.log import statistics
from serving.gateway.log.database import Database
from serving.gateway.log.photo_store import PhotoStore
from serving.gateway.log.statistics import MOST_HOURLY_DAYS
from serving.gateway.log.tables import DailyUser, EndedSession, Prediction, UsedCode

_LOG = logging.getLogger(__name__)
_EVERY_SECONDS = 300.0
_BATCH = 500


class Housekeeper:
    """Removes old predictions, photos, task results, used codes and ended sessions, every few minutes.

    Every replica does so: the work is idempotent.

    Args:
        database: The database.
        photos: The photo store, which knows its own retention.
        tasks: The task queue, which knows its own, too.
        days: Predictions older than this many days are removed.
    """

    def __init__(self, database: Database, photos: PhotoStore, tasks: TaskQueue, days: int) -> None:
        self._database, self._photos, self._tasks, self._days = database, photos, tasks, days

    async def run(self) -> None:
        """Works until cancelled."""
        while True:
            await asyncio.sleep(_EVERY_SECONDS * random.uniform(0.5, 1.0))  # replicas do not start together
            await self.clean()

    async def clean(self) -> None:
        """One round; a part that fails is tried again in the next one, and keeps no other from its work."""
        parts = (self._clean_database, self._compact, self._clean_photos, self._tasks.sweep)
        for part in parts:
            try:
                await part()
            except Exception as error:
                _LOG.warning("housekeeping failed: %s: %s", type(error).__name__, error)

    async def _clean_database(self) -> None:
        now = datetime.now(UTC)
        oldest = now - timedelta(days=self._days)
        first = new_id(int(oldest.timestamp() * 1000))  # ids are time-ordered
        async with self._database.connection() as connection:
            for table in (UsedCode, EndedSession):
                await connection.execute(delete(table).where(table.expires < now))
            await connection.execute(delete(DailyUser).where(DailyUser.day < oldest - timedelta(days=1)))
        old = select(Prediction.id).where(Prediction.id < first).limit(_BATCH)
        removed = _BATCH
        while removed >= _BATCH:  # in short transactions: predictions are written in between
            async with self._database.connection() as connection:
                removed = (
                    await connection.execute(delete(Prediction).where(Prediction.id.in_(old)))
                ).rowcount

    async def _compact(self) -> None:
        await self.compact(self._database, datetime.now(UTC))

    @staticmethod
    async def compact(database: Database, now: datetime) -> None:
        """Sums up the hourly counts that nobody can ask by hour any more."""
        oldest = now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=MOST_HOURLY_DAYS + 1)
        await statistics.compact(database, oldest)

    async def _clean_photos(self) -> None:
        removed = await self._photos.enforce_retention()
        for start in range(0, len(removed), _BATCH):
            gone = Prediction.photo_sha256.in_(removed[start : start + _BATCH])
            async with self._database.connection() as connection:
                await connection.execute(update(Prediction).where(gone).values(photo_stored=False))
