"""Looks at the triggers, decides, starts, and writes everything down."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shlex
import socket
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from phytoflow.errors import GateError, RolloutError
from phytoflow.storage.folder_lock import exclusive_folder
from phytoflow.watch import metrics
from phytoflow.watch.audit import Action, AuditLog, Event, State, as_utc
from phytoflow.watch.commands import build_commands, output_folder, run_command
from phytoflow.watch.lease import held
from phytoflow.watch.settings import WatchSettings
from phytoflow.watch.triggers import Trigger

_LOG = logging.getLogger(__name__)
_MAX_REASON = 500
_ENDING_SECONDS = 30.0  # between two attempts to begin while a run of a killed watcher goes on
_LEAST_PAUSE = 1.0  # seconds between two looks, however many webhooks come
_TRAINED = "trained"  # the trigger of a rollout
_ORDER = ("deploy", "rollout", "train")
_REFUSED = (GateError.exit_code, RolloutError.exit_code)


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
        self._woken, self._looked = asyncio.Event(), asyncio.Event()
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
        await self._resume()
        await self.look()
        await self._work()

    async def _rounds(self) -> None:
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(self._look_on())
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
            self.last_look = time.monotonic()
            self._looked.set()
            await asyncio.sleep(min(_LEAST_PAUSE, self._settings.every_seconds))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._settings.every_seconds):
                    await self._woken.wait()

    async def _work_on(self) -> None:
        await self._resume()
        while True:
            await self._looked.wait()
            self._looked.clear()
            await self._work()

    async def look(self, action: Action | None = None) -> None:
        """Asks the triggers, all or those of an action; one that cannot be asked keeps no other back."""
        for trigger in self._triggers:
            if action and trigger.action != action:
                continue
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
        """Starts what waits, deployments first and trainings last, one after the other."""
        if self._dry_run:
            return
        waiting = await self._audit.events("waiting")
        for event in sorted(waiting, key=lambda one: (_ORDER.index(one.action), one.id)):
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
        if event.action != "train":
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
        if self._dry_run:
            return
        for event in await self._audit.events("running"):
            if event.attempts >= self._settings.limits.max_attempts:
                await self._end(event, "failed", f"given up after {event.attempts} attempts")
                continue
            _LOG.warning("event %d was interrupted: it is resumed", event.id)
            await self._audit.change(event, attempts=event.attempts + 1)
            await self._execute(event)

    async def _execute(self, event: Event) -> None:
        log = output_folder(event, self._settings) / "watch.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        poll = min(_ENDING_SECONDS, self._settings.every_seconds)
        commands = build_commands(event, self._settings)
        for number, command in enumerate(commands, 1):
            _LOG.info("event %d starts: %s", event.id, shlex.join(command))
            try:
                code = await run_command(command, log, poll)
            except OSError as error:
                await self._end(event, "failed", f"{command[0]} cannot be started: {error}")
                return
            if code:
                state: State = "refused" if code in _REFUSED else "failed"
                await self._end(event, state, f"exit code {code}, see {log}")
                return
            if event.action == "train" and number < len(commands):
                await self._cover_prepared(event)
        if event.action == "train" and self._settings.rollout:
            await self._note_trained(event)
        await self._end(event, "succeeded", "")

    async def _cover_prepared(self, event: Event) -> None:
        """What was prepared is trained on now: the change of the data that it made starts nothing more."""
        await self.look("train")
        await self._cover(event, await self._audit.events("waiting"))

    async def _note_trained(self, event: Event) -> None:
        """Before the training's end is recorded: a watcher that is killed in between comes here again."""
        last = await self._audit.last(_TRAINED)
        if last is None or last.key != str(event.id):
            after = last.id if last else 0
            await self._audit.record(_TRAINED, str(event.id), "rollout", self._clock(), after=after)

    async def _end(self, event: Event, state: State, reason: str) -> None:
        level = logging.ERROR if state == "failed" else logging.INFO
        began = as_utc(event.started) if event.started else self._clock()
        taken = (self._clock() - began).total_seconds()
        _LOG.log(level, "event %d %s after %.0f s %s", event.id, state, taken, reason)
        await self._audit.change(event, state=state, reason=reason[:_MAX_REASON], ended=self._clock())
        metrics.EVENTS.labels(event.action, state).inc()
