"""Triggers whose keys a test sets, commands that note that they ran, and a clock that a test moves."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from phytoflow.watch.audit import Action, AuditLog, Event
from phytoflow.watch.settings import LimitSettings, WatchSettings
from phytoflow.watch.triggers import Trigger
from phytoflow.watch.watcher import Watcher

APPEND = "import sys; open(sys.argv[1], 'a').write(sys.argv[2] + '\\n'); sys.exit(int(sys.argv[3]))"
LIMITS = {"cool_down_hours": 0, "prepare_pause_seconds": 0}


class World:
    """Keys that triggers see, a clock, and the commands that were run."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.now = folder, datetime(2026, 11, 30, tzinfo=UTC)
        self.keys: dict[str, str | None] = {}
        self.exit_code = 0

    def trigger(self, name: str, action: Action = "train", *, has_baseline: bool = True) -> Trigger:
        async def observe(now: datetime) -> str | None:
            return self.keys.get(name)

        return Trigger(name, action, observe, lambda before, now: before != now, has_baseline)

    def command(self, word: str = "{key}", code: int | None = None) -> tuple[str, ...]:
        """Notes a word and ends with a code."""
        code = self.exit_code if code is None else code
        return (sys.executable, "-c", APPEND, str(self.folder / "ran"), word, str(code))

    def watcher(
        self,
        *triggers: Trigger,
        dry_run: bool = False,
        prepare: tuple[str, ...] = (),
        rollout: tuple[str, ...] = (),
        **limits: float,
    ) -> Watcher:
        settings = WatchSettings(
            directory=str(self.folder),
            every_seconds=0.01,
            limits=LimitSettings.model_validate(LIMITS | limits),
            prepare=prepare,
            train=self.command(),
            rollout=rollout,
            deploy=self.command(),
        )
        audit = AuditLog(settings.database_url)
        return Watcher(settings, triggers, audit, dry_run=dry_run, clock=lambda: self.now)

    @property
    def ran(self) -> list[str]:
        file = self.folder / "ran"
        return file.read_text().split() if file.exists() else []

    async def events(self) -> list[Event]:
        audit = AuditLog(f"sqlite+aiosqlite:///{self.folder / 'watch.db'}")
        await audit.open()
        events = list(await audit.events())
        await audit.close()
        return events


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


async def until_states(read: Callable[[], Awaitable[list[str]]], wanted: list[str]) -> None:
    """Waits until the events are in these states."""
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OperationalError):  # before the table is made
                if await read() == wanted:
                    return
            await asyncio.sleep(0.01)
