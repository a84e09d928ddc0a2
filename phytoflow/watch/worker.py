"""Carries out what the triggers recorded, one command after the other."""

from __future__ import annotations

import asyncio
import logging
import shlex
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from phytoflow.errors import GateError, RolloutError
from phytoflow.watch import metrics
from phytoflow.watch.audit import Action, AuditLog, Event, State, as_utc
from phytoflow.watch.commands import build_commands, output_folder, run_command
from phytoflow.watch.settings import WatchSettings

_LOG = logging.getLogger(__name__)
_MAX_REASON = 500
_ENDING_SECONDS = 30.0  # between two attempts to begin while a run of a killed watcher goes on
_TRAINED = "trained"  # the trigger of a rollout
_ORDER = ("deploy", "rollout", "train")
_REFUSED = (GateError.exit_code, RolloutError.exit_code)


class Worker:
    """Runs the commands of the events that wait.

    Args:
        settings: Commands and limits.
        audit: Where the events are.
        look: Asks the triggers of an action, which records what they see.
        clock: The present moment, in UTC.
    """

    def __init__(
        self,
        settings: WatchSettings,
        audit: AuditLog,
        look: Callable[[Action], Awaitable[None]],
        clock: Callable[[], datetime],
    ) -> None:
        self._settings, self._audit, self._look, self._clock = settings, audit, look, clock

    async def resume(self) -> None:
        """Finishes what was running when a watcher was killed: the same command resumes."""
        for event in await self._audit.events("running"):
            if event.attempts >= self._settings.limits.max_attempts:
                await self._end(event, "failed", f"given up after {event.attempts} attempts")
                continue
            _LOG.warning("event %d was interrupted: it is resumed", event.id)
            await self._audit.change(event, attempts=event.attempts + 1, reason="")
            await self._execute(event)

    async def work(self) -> None:
        """Starts what waits, deployments first and trainings last, one after the other."""
        waiting = await self._audit.events("waiting")
        for event in sorted(waiting, key=lambda one: (_ORDER.index(one.action), one.id)):
            if event.state != "waiting":
                continue  # covered by the training before it
            if reason := await self.forbidden(event.action):
                if reason != event.reason:
                    _LOG.info("%s waits: %s", event.trigger, reason)
                    await self._audit.change(event, reason=reason)
            elif await self._audit.claim(event, self._clock()):
                await self._cover(event, waiting)
                await self._execute(event)
        metrics.WAITING.set(len(await self._audit.events("waiting")))

    async def preview(self) -> None:
        """Says what would start of what waits, and why the rest goes on waiting."""
        for event in await self._audit.events("waiting"):
            reason = await self.forbidden(event.action)
            what = f"would wait: {reason}" if reason else "would start"
            _LOG.info("event %d, %s: %s, %s", event.id, event.trigger, event.key, what)

    async def forbidden(self, action: str) -> str:
        """Why an action may not start now; empty if it may. Limits are those of trainings."""
        if action != "train":
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

    async def _execute(self, event: Event) -> None:
        log = output_folder(event, self._settings) / "watch.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        commands = build_commands(event, self._settings)
        for number, command in enumerate(commands, 1):
            prepares = event.action == "train" and number < len(commands)
            attempts = self._settings.limits.prepare_attempts if prepares else 1
            if not await self._run(event, command, log, attempts):
                return
            if prepares:
                await self._cover_prepared(event)
        if event.action == "train" and self._settings.rollout:
            await self._note_trained(event)
        await self._end(event, "succeeded", event.reason)

    async def _run(self, event: Event, command: Sequence[str], log: Path, attempts: int) -> bool:
        """Runs a command up to so many times.

        Returns:
            Whether it succeeded; if not, the event has ended.
        """
        poll = min(_ENDING_SECONDS, self._settings.every_seconds)
        for attempt in range(1, attempts + 1):
            _LOG.info("event %d starts: %s", event.id, shlex.join(command))
            try:
                code = await run_command(command, log, poll)
            except OSError as error:
                await self._end(event, "failed", f"{command[0]} cannot be started: {error}")
                return False
            if not code:
                if attempt > 1:
                    await self._audit.change(event, reason=f"prepared at attempt {attempt}")
                return True
            reason = f"exit code {code}, see {log}"
            if attempt < attempts:
                await self._pause(event, f"prepare, attempt {attempt} of {attempts}: {reason}")
        await self._end(event, "refused" if code in _REFUSED else "failed", reason)
        return False

    async def _pause(self, event: Event, reason: str) -> None:
        """Before `prepare` is tried again: the gateway that it asks may be away for a while."""
        pause = self._settings.limits.prepare_pause_seconds
        _LOG.warning("event %d: %s; again in %g s", event.id, reason, pause)
        await self._audit.change(event, reason=reason[:_MAX_REASON])
        await asyncio.sleep(pause)

    async def _cover_prepared(self, event: Event) -> None:
        """What was prepared is trained on now: the change of the data that it made starts nothing more."""
        await self._look("train")
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
