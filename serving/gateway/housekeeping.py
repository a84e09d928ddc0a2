"""Housekeeping: what is past its time is removed."""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete

from serving.gateway.jobs.queue import TaskQueue
from serving.gateway.log.database import Database
from serving.gateway.log.photo_store import PhotoStore
from serving.gateway.log.record import new_id
from serving.gateway.log.tables import Prediction, UsedCode

_LOG = logging.getLogger(__name__)
_EVERY_SECONDS = 300.0


class Housekeeper:
    """Removes old predictions, photos, task results and used codes, every few minutes.

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
            try:
                await self.clean()
            except asyncio.CancelledError:
                raise
            except Exception as error:  # the next round tries again
                _LOG.warning("housekeeping failed: %s: %s", type(error).__name__, error)

    async def clean(self) -> None:
        """One round."""
        now = datetime.now(UTC)
        oldest = now - timedelta(days=self._days)
        async with self._database.connection() as connection:
            await connection.execute(
                delete(Prediction).where(Prediction.id < new_id(int(oldest.timestamp() * 1000)))
            )
            await connection.execute(delete(UsedCode).where(UsedCode.expires < now))
        await self._photos.enforce_retention()
        await self._tasks.sweep()
