"""Looks at the triggers and records what they see; a worker carries it out."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from phytoflow.storage.folder_lock import exclusive_folder
from phytoflow.watch.audit import Action, AuditLog, Event, State
from phytoflow.watch.lease import held
from phytoflow.watch.settings import WatchSettings
from phytoflow.watch.triggers import Trigger
from phytoflow.watch.worker import Worker

_LOG = logging.getLogger(__name__)
_LEAST_PAUSE = 1.0  # seconds between two looks, however many webhooks come


def _now() -> datetime:
    return datetime.now(UTC)


class Watcher:
    """One watcher of a folder: a second one of the same folder is refused.

    Attributes:
        last_look: When the triggers were looked at last, or the first look began, in seconds of
            ``time.monotonic``; None while another watcher has the lease.

    Args:
        settings: Commands and limits.
        triggers: What to look at.
        audit: Where decisions are written.
        dry_run: Say what would be started, and start and record nothing.
        clock: The present moment, in UTC.
    """

    def __init__(
        self,
        settings: WatchSettings,
        triggers: Sequence[Trigger],
        audit: AuditLog,
        *,
        dry_run: bool = False,
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self._settings, self._triggers, self._audit = settings, triggers, audit
        self._dry_run, self._clock = dry_run, clock
        self._worker = Worker(settings, audit, self.look, clock)
        self._woken, self._looked = asyncio.Event(), asyncio.Event()
        self._unreadable: dict[str, str] = {}  # what was said of triggers that cannot be asked
        self.last_look: float | None = None

    async def run(self, *, once: bool = False) -> None:
        """Works until cancelled, or for one round; first finishes what a killed watcher began.

        Raises:
            FolderInUseError: Another process watches in this folder, or took over.
        """
        if self._dry_run:  # another watcher may work
            await self._audit.open()
            await (self._round() if once else self._rounds())
            return
        with exclusive_folder(self._settings.folder):
            await self._audit.open()
            async with held(self._audit.engine, f"{socket.gethostname()}:{self._settings.folder}"):
                await (self._round() if once else self._rounds())

    async def _round(self) -> None:
        if self._dry_run:
            await self.look()
            await self._worker.preview()
            return
        await self._worker.resume()
        await self.look()
        await self._worker.work()

    async def _rounds(self) -> None:
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._look_on())
                if not self._dry_run:
                    both.create_task(self._work_on())
        except BaseExceptionGroup as group:
            raise group.exceptions[0] from None

    def wake(self) -> None:
        """Looks at the triggers at once instead of after the pause."""
        self._woken.set()

    async def _look_on(self) -> None:
        """Looks while a command runs, too: an alarm that is over before its end is not missed."""
        self.last_look = time.monotonic()
        while True:
            self._woken.clear()
            await self.look()
            if self._dry_run:
                await self._worker.preview()
            self.last_look = time.monotonic()
            self._looked.set()
            await asyncio.sleep(min(_LEAST_PAUSE, self._settings.every_seconds))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.every_seconds):
                    await self._woken.wait()

    async def _work_on(self) -> None:
        await self._worker.resume()
        while True:
            await self._looked.wait()
            self._looked.clear()
            await self._worker.work()

    async def look(self, action: Action | None = None) -> None:
        """Asks the triggers, all or those of an action; one that cannot be asked keeps no other back."""
        for trigger in self._triggers:
            if action and trigger.action != action:
                continue
            try:
                await self._ask(trigger)
            except Exception as error:  # of the network, a store or a file: asked again in the next round
                self._warn_once(trigger.name, f"{type(error).__name__}: {error}")
            else:
                self._unreadable.pop(trigger.name, None)

    def _warn_once(self, trigger: str, error: str) -> None:
        """Looks may follow each other for days while nothing changes."""
        if self._unreadable.get(trigger) != error:
            _LOG.warning("%s cannot be read: %s", trigger, error)
            self._unreadable[trigger] = error

    async def _ask(self, trigger: Trigger) -> None:
        now = self._clock()
        key, last = await trigger.observe(now), await self._audit.last(trigger.name)
        state, why = _judge(trigger, key, last)
        if self._dry_run:
            reason = await self._worker.forbidden(trigger.action) if state == "waiting" else ""
            _LOG.info("%s: %s%s", trigger.name, why, f", but would wait: {reason}" if reason else "")
        elif key is not None and state:
            if state == "waiting":
                _LOG.info("%s: %s", trigger.name, key)
            after = last.id if last else 0
            await self._audit.record(trigger.name, key, trigger.action, now, after=after, state=state)


def _judge(trigger: Trigger, key: str | None, last: Event | None) -> tuple[State | None, str]:
    """The state in which a key is recorded, None if it is not, and in words what it means."""
    if key is None:
        return None, "nothing"
    if last is None and trigger.has_baseline:
        return "baseline", f"{key}, the first look: it starts nothing"
    if last is not None and not trigger.is_news(last.key, key):
        return None, f"{key}, nothing new since event {last.id}"
    return "waiting", f"{key}, would start"
