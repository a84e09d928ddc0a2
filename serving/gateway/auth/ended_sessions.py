"""Sessions that were ended before their time: a copy of the cookie opens nothing any more."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from serving.gateway.log.database import UNAVAILABLE, Database
from serving.gateway.log.tables import EndedSession

_LOG = logging.getLogger(__name__)
_REFRESH_SECONDS = 5.0  # a session that another replica ended is refused here after this long at the latest


class EndedSessions:
    """Ids of ended sessions, kept in the database and known to every replica.

    Whether a session ended is asked with every request, so the answer comes from memory. Until the database
    was read once, every session counts as ended.

    Args:
        database: Where the ids are.
        hours: Lifetime of a session, after which its id may be forgotten.
    """

    def __init__(self, database: Database, hours: float) -> None:
        self._database, self._lifetime = database, timedelta(hours=hours)
        self._ids: set[str] = set()
        self._unwritten: dict[str, datetime] = {}
        self._is_read = False
        self._lock = asyncio.Lock()

    def __contains__(self, session_id: object) -> bool:
        """Whether a session ended."""
        return not self._is_read or session_id in self._ids

    async def add(self, session_id: str) -> None:
        """Ends a session; while the database is away, for this replica first."""
        self._unwritten[session_id] = datetime.now(UTC) + self._lifetime
        self._ids.add(session_id)
        await self.refresh()

    async def refresh(self) -> bool:
        """Writes what was not written yet, and reads what all replicas wrote; False if that fails."""
        async with self._lock:
            writing = dict(self._unwritten)
            try:
                ids = await self._exchange(writing)
            except UNAVAILABLE as error:
                _LOG.warning("ended sessions cannot be shared: %s", str(error).splitlines()[0])
                return False
            for session_id in writing:
                del self._unwritten[session_id]
            self._ids, self._is_read = ids | self._unwritten.keys(), True
        return True

    async def run(self) -> None:
        """Refreshes until cancelled."""
        while True:
            await asyncio.sleep(_REFRESH_SECONDS)
            await self.refresh()

    async def _exchange(self, writing: dict[str, datetime]) -> set[str]:
        valid = select(EndedSession.id).where(EndedSession.expires > datetime.now(UTC))
        async with self._database.connection() as connection:
            if writing:
                rows = [{"id": session_id, "expires": expires} for session_id, expires in writing.items()]
                await connection.execute(self._database.insert(EndedSession).on_conflict_do_nothing(), rows)
            return set(await connection.scalars(valid))
