"""The task queue without Redis: a table, leases, and a poll."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from sqlalchemy import and_, delete, func, or_, select, update

from serving.gateway.jobs.queue import Depth, Task, queue_away, queue_full
from serving.gateway.log.database import UNAVAILABLE, Database
from serving.gateway.log.tables import TaskRow
from serving.gateway.settings import TaskSettings

_POLL_SECONDS = 0.2
_TOMBSTONE = timedelta(days=7)  # an expired task is answered with 410 for this long


class SqlTaskQueue:
    """See ``queue.TaskQueue``; works on SQLite and PostgreSQL.

    Args:
        database: Has the table ``tasks``.
        settings: Lease, lifetime and bounds.
    """

    def __init__(self, database: Database, settings: TaskSettings) -> None:
        self._database, self._settings = database, settings
        self._put = asyncio.Event()  # wakes this process's own workers at once

    async def open(self) -> None:
        """The database connects by itself."""

    async def close(self) -> None:
        """The database is closed by its owner."""

    async def put(self, task: Task) -> None:
        """See ``TaskQueue``."""
        row = TaskRow(
            id=task.id,
            user_id=task.user_id,
            created=task.created,
            expires=task.created + timedelta(seconds=self._settings.result_seconds),
            request=task.request,
            photo=task.photo,
        )
        try:
            if (await self.depth()).waiting >= self._settings.max_waiting:
                raise queue_full(self._settings.max_waiting)
            async with self._database.session() as session:
                session.add(row)
        except UNAVAILABLE as error:
            raise queue_away(error) from error
        self._put.set()

    async def get(self, task_id: str) -> Task | None:
        """See ``TaskQueue``."""
        columns = [column for column in TaskRow.__table__.columns if column.name != "photo"]
        try:
            async with self._database.connection() as connection:
                row = (await connection.execute(select(*columns).where(TaskRow.id == task_id))).one_or_none()
        except UNAVAILABLE as error:
            raise queue_away(error) from error
        return None if row is None else _task(row, b"", expired=row.expires <= datetime.now(UTC))

    async def claim(self, seconds: float) -> Task | None:
        """See ``TaskQueue``."""
        deadline = asyncio.get_running_loop().time() + seconds
        while (task := await self._claim()) is None:
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                return None
            self._put.clear()
            try:
                async with asyncio.timeout(min(_POLL_SECONDS, left)):
                    await self._put.wait()
            except TimeoutError:
                continue
        return task

    async def extend(self, task: Task) -> None:
        """See ``TaskQueue``."""
        async with self._database.connection() as connection:
            mine = and_(TaskRow.id == task.id, TaskRow.state == "running", TaskRow.attempts == task.attempts)
            await connection.execute(update(TaskRow).where(mine).values(lease=self._lease()))

    async def finish(self, task: Task, state: Literal["done", "failed"], result: dict[str, Any]) -> bool:
        """See ``TaskQueue``."""
        expires = datetime.now(UTC) + timedelta(seconds=self._settings.result_seconds)
        values = {"state": state, "result": result, "photo": None, "expires": expires, "lease": None}
        open_ = and_(TaskRow.id == task.id, TaskRow.state.in_(("queued", "running")))
        async with self._database.connection() as connection:
            done = await connection.execute(update(TaskRow).where(open_).values(values))
        return done.rowcount > 0

    async def depth(self) -> Depth:
        """See ``TaskQueue``."""
        query = select(func.count(), func.min(TaskRow.created)).where(TaskRow.state == "queued")
        async with self._database.connection() as connection:
            waiting, oldest = (await connection.execute(query)).one()
        age = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0.0
        return Depth(waiting, max(0.0, age))

    async def sweep(self) -> None:
        """See ``TaskQueue``."""
        now = datetime.now(UTC)
        finished = and_(TaskRow.expires <= now, TaskRow.state.in_(("done", "failed")))
        async with self._database.connection() as connection:
            await connection.execute(update(TaskRow).where(finished).values(state="expired", result=None))
            old = and_(TaskRow.state == "expired", TaskRow.expires <= now - _TOMBSTONE)
            await connection.execute(delete(TaskRow).where(old))

    async def erase(self, user_id: str) -> None:
        """See ``TaskQueue``."""
        async with self._database.connection() as connection:
            await connection.execute(delete(TaskRow).where(TaskRow.user_id == user_id))

    async def _claim(self) -> Task | None:
        """Takes the oldest task that waits, or whose worker is silent; two workers never take the same."""
        now = datetime.now(UTC)
        free = or_(TaskRow.state == "queued", and_(TaskRow.state == "running", TaskRow.lease < now))
        oldest = select(TaskRow.id).where(free).order_by(TaskRow.created).limit(1)
        if not self._database.is_sqlite:
            oldest = oldest.with_for_update(skip_locked=True)
        taken = (
            update(TaskRow)
            .where(TaskRow.id == oldest.scalar_subquery(), free)
            .values(state="running", lease=self._lease(), attempts=TaskRow.attempts + 1)
            .returning(TaskRow)
        )
        async with self._database.session() as session:
            row = (await session.execute(taken)).scalar_one_or_none()
        return None if row is None else _task(row, row.photo or b"")

    def _lease(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._settings.lease_seconds)


def _task(row: Any, photo: bytes, *, expired: bool = False) -> Task:
    finished = row.state in ("done", "failed", "expired")
    return Task(
        id=row.id,
        user_id=row.user_id,
        state="expired" if expired and finished else row.state,
        created=row.created,
        request=row.request,
        photo=photo,
        result=row.result,
        attempts=row.attempts,
    )
