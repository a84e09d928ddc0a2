"""Looks at the triggers, decides, starts, and writes everything down."""

from __future__ import annotations

import asyncio
import logging
import shlex
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from phytoflow.errors import FolderInUseError
from phytoflow.storage.folder_lock import exclusive_folder
from phytoflow.watch import metrics
from phytoflow.watch.audit import AuditLog, Event, as_utc
from phytoflow.watch.settings import WatchSettings
from phytoflow.watch.triggers import Trigger

_LOG = logging.getLogger(__name__)
_MAX_REASON = 500
_ENDING_SECONDS = 5.0


def _now() -> datetime:
    return datetime.now(UTC)


class Watcher:
    """One watcher of a folder: a second one of the same folder is refused.

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

    async def run(self, *, once: bool = False) -> None:
        """Works until cancelled, or for one round; first finishes what a killed watcher began.

        Raises:
            FolderInUseError: Another process watches in this folder.
        """
        with exclusive_folder(self._settings.folder):
            await self._audit.open()
            if not self._dry_run:
                await self._resume()
            while True:
                await self.look()
                if not self._dry_run:
                    await self._work()
                if once:
                    return
                await asyncio.sleep(self._settings.every_seconds)

    async def look(self) -> None:
        """Asks every trigger; one that cannot be asked keeps no other back."""
        for trigger in self._triggers:
            try:
                await self._ask(trigger)
            except Exception as error:  # of the network, a store or a file: asked again in the next round
                _LOG.warning("%s cannot be read: %s: %s", trigger.name, type(error).__name__, error)

    async def _ask(self, trigger: Trigger) -> None:
        now = self._clock()
        key = await trigger.observe(now)
        if key is None:
            return
        last = await self._audit.last(trigger.name)
        after = last.id if last else 0
        if last is None and trigger.has_baseline:
            if not self._dry_run:
                await self._audit.record(
                    trigger.name, key, trigger.action, now, after=after, state="baseline"
                )
            return
        if last is not None and not trigger.is_news(last.key, key):
            return
        _LOG.info("%s: %s%s", trigger.name, key, ", would start" if self._dry_run else "")
        if not self._dry_run:
            await self._audit.record(trigger.name, key, trigger.action, now, after=after)

    async def _work(self) -> None:
        """Starts what waits, deployments first, one after the other."""
        waiting = await self._audit.events("waiting")
        for event in sorted(waiting, key=lambda one: (one.action != "deploy", one.id)):
            if event.state != "waiting":
                continue  # covered by the training before it
            if reason := await self._forbidden(event):
                if reason != event.reason:
                    _LOG.info("%s waits: %s", event.trigger, reason)
                    await self._audit.change(event, reason=reason)
            elif await self._audit.claim(event, self._clock()):
                await self._cover(event, waiting)
                await self._execute(event)
        metrics.WAITING.set(len(await self._audit.events("waiting")))

    async def _forbidden(self, event: Event) -> str:
        """Why a training may not start now; empty if it may."""
        if event.action == "deploy":
            return ""
        now, limits = self._clock(), self._settings.limits
        starts = await self._audit.starts_since(now - timedelta(days=1))
        if len(starts) >= limits.trainings_per_day:
            return f"{len(starts)} trainings began within 24 hours"
        cool_down = timedelta(hours=limits.cool_down_hours)
        recent = await self._audit.starts_since(now - cool_down)
        if recent:
            return f"cool-down until {recent[-1] + cool_down:%Y-%m-%d %H:%M} UTC"
        return ""

    async def _cover(self, started: Event, waiting: Sequence[Event]) -> None:
        """One training sees all photos: what else waits for one need not start another."""
        for event in waiting:
            if event.action == started.action and event.state == "waiting" and event.id != started.id:
                await self._audit.change(event, state="covered", reason=f"by event {started.id}")

    async def _resume(self) -> None:
        """Finishes what was running when a watcher was killed: the same command resumes."""
        for event in await self._audit.events("running"):
            if event.attempts >= self._settings.limits.max_attempts:
                await self._end(event, "failed", f"given up after {event.attempts} attempts")
                continue
            _LOG.warning("event %d was interrupted: it is resumed", event.id)
            await self._audit.change(event, attempts=event.attempts + 1)
            await self._execute(event)

    async def _execute(self, event: Event) -> None:
        output = self._settings.folder / "runs" / f"{event.id:06d}"
        output.mkdir(parents=True, exist_ok=True)
        command = self._command(event, output)
        _LOG.info("event %d starts: %s", event.id, shlex.join(command))
        try:
            while (code := await _run(command, output / "watch.log")) == FolderInUseError.exit_code:
                # The run of a watcher that was killed goes on: wait for it, then see how it ended.
                await asyncio.sleep(min(_ENDING_SECONDS, self._settings.every_seconds))
        except OSError as error:
            await self._end(event, "failed", f"{command[0]} cannot be started: {error}")
            return
        if code == 0:
            await self._end(event, "succeeded", "")
        else:
            await self._end(event, "failed", f"exit code {code}, see {output / 'watch.log'}")

    def _command(self, event: Event, output: Path) -> list[str]:
        template = self._settings.train if event.action == "train" else self._settings.deploy
        values = {"data": self._settings.triggers.data, "output": str(output), "key": event.key}
        words = []
        for word in template:
            for name, value in values.items():
                word = word.replace("{" + name + "}", value)
            words.append(word)
        return words

    async def _end(self, event: Event, state: str, reason: str) -> None:
        level = logging.ERROR if state == "failed" else logging.INFO
        began = as_utc(event.started) if event.started else self._clock()
        taken = (self._clock() - began).total_seconds()
        _LOG.log(level, "event %d %s after %.0f s %s", event.id, state, taken, reason)
        await self._audit.change(event, state=state, reason=reason[:_MAX_REASON], ended=self._clock())
        metrics.EVENTS.labels(event.action, state).inc()


async def _run(command: Sequence[str], log: Path) -> int:
    """Runs a command to its end; a cancelled watcher ends it in order, and it is resumed later."""
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(*command, stdout=file, stderr=file)
    try:
        return await process.wait()
    except asyncio.CancelledError:
        process.terminate()
        await process.wait()
        raise
