"""Housekeeping: what is past its time is removed."""

from __future__ import annotations

import asyncio
import logging
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete

from serving.gateway.log.record import new_id
from serving.gateway.log.tables import Prediction, UsedCode

if TYPE_CHECKING:
    from serving.gateway.services import Services

_LOG = logging.getLogger(__name__)
_EVERY_SECONDS = 300.0


class Housekeeper:
    """Removes old predictions, photos, task results and used codes, every few minutes.

    Every replica does so: the work is idempotent.
    """

    def __init__(self, services: Services) -> None:
        self._services = services

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
        services, now = self._services, datetime.now(UTC)
        oldest = now - timedelta(days=services.settings.log.retention_days)
        async with services.database.connection() as connection:
            await connection.execute(
                delete(Prediction).where(Prediction.id < new_id(int(oldest.timestamp() * 1000)))
            )
            await connection.execute(delete(UsedCode).where(UsedCode.expires < now))
        await services.photos.enforce_retention()
        await services.tasks.sweep()
