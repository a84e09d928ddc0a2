"""Two watchers of one database: one works, the other waits, and takes over after a kill."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from phytoflow.errors import FolderInUseError
from phytoflow.watch.audit import AuditLog
from phytoflow.watch.lease import Lease, held, take


@pytest.fixture
async def engine(tmp_path: Path) -> AsyncIterator[AsyncEngine]:
    audit = AuditLog(f"sqlite+aiosqlite:///{tmp_path / 'watch.db'}")
    await audit.open()
    yield audit.engine
    await audit.close()


async def test_only_one_of_several_gets_it(engine: AsyncEngine) -> None:
    got = await asyncio.gather(*(take(engine, name, 30) for name in "abcdef"))
    assert sum(got) == 1
    winner = "abcdef"[got.index(True)]
    assert await take(engine, winner, 30)  # again, after a kill
    assert not await take(engine, "other", 30)


async def test_the_next_one_begins_when_the_first_ends(engine: AsyncEngine) -> None:
    order: list[str] = []

    async def work(name: str) -> None:
        async with held(engine, name, 0.6):
            order.append(f"{name} begins")
            await asyncio.sleep(1.0)  # longer than the lease: it is renewed
            order.append(f"{name} ends")

    await asyncio.gather(work("a"), work("b"))
    first = order[0][0]
    second = {"a": "b", "b": "a"}[first]
    assert order == [f"{first} begins", f"{first} ends", f"{second} begins", f"{second} ends"]


async def test_a_killed_one_is_replaced_when_its_lease_expires(engine: AsyncEngine) -> None:
    assert await take(engine, "killed", 0.2)
    async with asyncio.timeout(30), held(engine, "next", 0.6):
        assert not await take(engine, "killed", 30)


async def test_one_that_was_replaced_stops(engine: AsyncEngine) -> None:
    """A machine that stood still for too long, and goes on."""
    with pytest.raises(FolderInUseError, match="took over"):
        async with asyncio.timeout(30), held(engine, "stalled", 0.3):
            async with engine.begin() as connection:
                await connection.execute(update(Lease).values(holder="other", expires=2e9))
            await asyncio.sleep(30)
    assert not await take(engine, "stalled", 30)
