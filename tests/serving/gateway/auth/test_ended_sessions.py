"""Ended sessions on both kinds of database: known to all replicas, and not lost while it is away."""

from __future__ import annotations

from sqlalchemy import select

from serving.gateway.auth.ended_sessions import EndedSessions
from serving.gateway.log.database import Database
from serving.gateway.log.tables import EndedSession


async def test_a_session_that_one_replica_ends_is_ended_on_the_others(database: Database) -> None:
    here, there = EndedSessions(database, 1), EndedSessions(database, 1)
    assert await here.refresh() and await there.refresh()
    assert "a" not in here and "a" not in there
    await here.add("a")
    await here.add("a")  # a second click
    assert "a" in here and "a" not in there
    assert await there.refresh()
    assert "a" in there and "b" not in there


async def test_until_the_database_was_read_no_session_is_accepted() -> None:
    away = EndedSessions(Database("postgresql+asyncpg://nobody@127.0.0.1:9/none"), 1)
    assert not await away.refresh()
    assert "a" in away


async def test_what_ended_while_the_database_was_away_is_written_later(database: Database) -> None:
    replica = EndedSessions(database, 1)
    await replica.refresh()
    replica._database = Database("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    await replica.add("a")
    assert "a" in replica and "b" not in replica
    replica._database = database
    assert await replica.refresh()
    async with database.connection() as connection:
        assert list(await connection.scalars(select(EndedSession.id))) == ["a"]


async def test_an_expired_session_is_not_kept_in_memory(database: Database) -> None:
    replica = EndedSessions(database, 0)
    await replica.add("a")
    assert replica._ids == set()
