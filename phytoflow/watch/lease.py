"""A lease in the database: of several watchers that share one, e.g. on two machines, only one works."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import Float, Integer, String, insert, or_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine
from sqlalchemy.orm import Mapped, mapped_column

from phytoflow.errors import FolderInUseError
from phytoflow.watch.audit import WatchBase

SECONDS = 30.0
"""A watcher that is silent for this long is taken for dead."""
_LOG = logging.getLogger(__name__)


class Lease(WatchBase):
    """The only row says who works.

    Attributes:
        holder: The watcher.
        expires: Unix time after which another one may take over.
    """

    __tablename__ = "watch_lease"

    id: Mapped[int] = mapped_column(Integer, primary_key=True)
    holder: Mapped[str] = mapped_column(String(500))
    expires: Mapped[float] = mapped_column(Float)


@asynccontextmanager
async def held(engine: AsyncEngine, holder: str, seconds: float = SECONDS) -> AsyncIterator[None]:
    """Waits for the lease, and keeps it for the length of the block, which ends if it is lost.

    Args:
        engine: The database, with the table.
        holder: Name of the watcher; the same one may take its lease again at once after a kill.
        seconds: Life of the lease; it is renewed three times as often.

    Raises:
        FolderInUseError: Another watcher took over, because this one was silent for too long.
    """
    waited = False
    while not await take(engine, holder, seconds):
        if not waited:
            _LOG.info("another watcher works with this database: waiting for its end")
            waited = True
        await asyncio.sleep(seconds / 6)
    body = asyncio.current_task()
    assert body
    lost = asyncio.Event()

    async def keep() -> None:
        while True:
            await asyncio.sleep(seconds / 3)
            if not await take(engine, holder, seconds):
                lost.set()
                body.cancel()
                return

    keeper = asyncio.create_task(keep())
    try:
        yield
    except asyncio.CancelledError:
        if lost.is_set():
            body.uncancel()
            raise FolderInUseError("another watcher took over", remedy="run one watcher") from None
        raise
    finally:
        keeper.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeper
        await _release(engine, holder)


async def take(engine: AsyncEngine, holder: str, seconds: float) -> bool:
    """Takes or renews the lease; False while another watcher has it."""
    now = time.time()
    free = or_(Lease.holder == holder, Lease.expires < now)
    values = {"holder": holder, "expires": now + seconds}
    async with engine.begin() as connection:
        taken = await connection.execute(update(Lease).where(Lease.id == 1, free).values(values))
    if taken.rowcount == 1:
        return True
    try:
        async with engine.begin() as connection:
            await connection.execute(insert(Lease).values(id=1, **values))
    except IntegrityError:
        return False  # there is one, and it is another watcher's
    return True


async def _release(engine: AsyncEngine, holder: str) -> None:
    async with engine.begin() as connection:
        await connection.execute(update(Lease).where(Lease.holder == holder).values(expires=0.0))
