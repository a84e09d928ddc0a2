"""The audit log: what fired, what was decided and why, how it ended. It is the state, too."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import DateTime, Integer, String, UniqueConstraint, make_url, select, text, update
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.schema import CreateTable

from phytoflow.errors import ConfigError, StorageError

Action = Literal["train", "rollout", "deploy"]
State = Literal["waiting", "running", "succeeded", "refused", "failed", "covered", "baseline"]

_LOCK = 0x77617463  # of PostgreSQL: any number that nothing else in the database uses


class WatchBase(DeclarativeBase):
    """Base of the tables."""


class Event(WatchBase):
    """One decision.

    Attributes:
        trigger: What fired: schedule, data, corrections, alert, drift, champion, or trained.
        key: What exactly, e.g. a version of the data, or the event that trained.
        after: Id of the trigger's event before this one; 0: none. Unique, so that two processes that see the
            same change record it once.
        action: ``train``, ``rollout`` or ``deploy``.
        state: ``waiting`` while a limit forbids it, then ``running``, then how it ended, ``refused``: the
            gate or the rollout said no; ``covered`` by a training that sees the same photos; ``baseline``:
            how it was when `watch` began.
        reason: Why it waits, or how it failed.
        attempts: How often it was begun.
        created: When it fired first.
        started: When it was begun first; None while it waits.
        ended: When it ended.
    """

    __tablename__ = "watch_events"
    __table_args__ = (UniqueConstraint("trigger", "after", name="watch_events_once"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    trigger: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(200))
    after: Mapped[int] = mapped_column(Integer)
    action: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    reason: Mapped[str] = mapped_column(String(500), default="")
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    created: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    started: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class AuditLog:
    """Events in a database.

    Attributes:
        engine: The database.

    Args:
        url: SQLAlchemy URL with an asynchronous driver.

    Raises:
        ConfigError: The URL names no database, or one with another driver.
    """

    def __init__(self, url: str) -> None:
        try:
            self.engine = create_async_engine(make_url(url))
        except (SQLAlchemyError, ImportError, ValueError) as error:
            remedy = (
                "set database to sqlite+aiosqlite:///FILE or postgresql+asyncpg://USER:PASSWORD@HOST/NAME"
            )
            what = f"the audit log's database cannot be used: {type(error).__name__}"
            raise ConfigError(what, remedy=remedy) from error

    async def open(self) -> None:
        """Makes the tables if they do not exist; other processes may do so at the same moment.

        Raises:
            StorageError: The database does not answer, or refuses.
        """
        try:
            await self._make_tables()
        except (SQLAlchemyError, OSError) as error:
            place, cause = self.engine.url.render_as_string(), getattr(error, "orig", error)
            remedy = "see that it runs and that its user may create tables"
            raise StorageError(f"cannot open the audit log in {place}: {cause}", remedy=remedy) from error

    async def _make_tables(self) -> None:
        async with self.engine.begin() as connection:
            if self.engine.dialect.name == "postgresql":  # there, IF NOT EXISTS alone is not enough
                await connection.execute(text("select pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            for table in WatchBase.metadata.sorted_tables:
                await connection.execute(CreateTable(table, if_not_exists=True))

    async def close(self) -> None:
        """Closes the connections."""
        await self.engine.dispose()

    async def record(
        self, trigger: str, key: str, action: Action, now: datetime, *, after: int, state: State = "waiting"
    ) -> Event | None:
        """Records that something fired; None if another process recorded it first."""
        event = Event(trigger=trigger, key=key, action=action, state=state, created=now, after=after)
        try:
            async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
                session.add(event)
        except IntegrityError:
            return None
        return event

    async def claim(self, event: Event, now: datetime) -> bool:
        """Turns a waiting event into a running one; False if another process did."""
        waiting = update(Event).where(Event.id == event.id, Event.state == "waiting")
        values = {"state": "running", "started": now, "attempts": 1, "reason": ""}
        async with self.engine.begin() as connection:
            claimed = (await connection.execute(waiting.values(**values))).rowcount == 1
        if claimed:
            for name, value in values.items():
                setattr(event, name, value)
        return claimed

    async def change(self, event: Event, **values: object) -> None:
        """Writes new values of an event."""
        async with AsyncSession(self.engine) as session, session.begin():
            await session.execute(update(Event).where(Event.id == event.id).values(**values))
        for name, value in values.items():
            setattr(event, name, value)

    async def events(self, *states: State, limit: int = 1000) -> Sequence[Event]:
        """Events in one of the states, or all; the newest ones, oldest first."""
        query = select(Event).order_by(Event.id.desc()).limit(limit)
        if states:
            query = query.where(Event.state.in_(states))
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            return list(await session.scalars(query))[::-1]

    async def last(self, trigger: str) -> Event | None:
        """The newest event of a trigger; None if it never fired."""
        query = select(Event).where(Event.trigger == trigger).order_by(Event.id.desc()).limit(1)
        async with AsyncSession(self.engine, expire_on_commit=False) as session:
            return (await session.scalars(query)).first()

    async def starts_since(self, moment: datetime) -> list[datetime]:
        """When trainings were begun since then, oldest first."""
        query = select(Event.started).where(Event.action == "train", Event.started.is_not(None))
        async with AsyncSession(self.engine) as session:
            starts = [as_utc(start) for start in await session.scalars(query) if start]
        return sorted(start for start in starts if start > moment)


def as_utc(moment: datetime) -> datetime:
    """A moment of the database; SQLite knows no time zones and gives UTC without one."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
