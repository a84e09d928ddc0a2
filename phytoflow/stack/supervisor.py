"""Starts the services in order, watches them, and starts again what ends."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from phytoflow.errors import PhytoflowError
from phytoflow.stack.layout import Layout
from phytoflow.stack.service import Service
from phytoflow.storage.atomic import atomic_file

_LOG = logging.getLogger(__name__)
_TICK_SECONDS = 0.25
_CHECK_SECONDS = 2.0  # between two health checks of a service that is up
_FAILED_CHECKS = 5  # in a row, after which a service that still runs is started again
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0  # seconds before another start, doubled each time
_STOP_SECONDS = 35.0

Status = Literal["waiting", "starting", "up", "down", "stopped"]


@dataclass
class _Running:
    """A service and its process."""

    service: Service
    status: Status = "waiting"
    process: subprocess.Popen[bytes] | None = None
    restarts: int = -1
    started: float = 0.0
    checked: float = 0.0
    failures: int = 0
    pause: float = _FIRST_PAUSE
    not_before: float = 0.0
    problem: str = ""

    def state(self) -> dict[str, Any]:
        pid = self.process.pid if self.process and self.process.poll() is None else None
        return {
            "status": self.status,
            "pid": pid,
            "restarts": max(0, self.restarts),
            "problem": self.problem,
            "optional": self.service.optional,
        }


@dataclass
class Supervisor:
    """Runs services until it is told to stop.

    Attributes:
        layout: The stack's folder.
        services: The services, in the order of their start.
        rebuild: Gives the services anew at a SIGHUP; those whose command differs are replaced.
    """

    layout: Layout
    services: Sequence[Service]
    rebuild: Callable[[], Sequence[Service]] | None = None
    _running: dict[str, _Running] = field(default_factory=dict)
    _stopping: bool = False
    _changed: bool = False
    _written: str = ""

    def run(self) -> None:
        """Supervises until SIGTERM or SIGINT; then ends every service, the last one first."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        signal.signal(signal.SIGHUP, self._note_change)
        self._running = {service.name: _Running(service) for service in self.services}
        while not self._stopping:
            if self._changed and self.rebuild:
                self._changed = False
                self._replace(self.rebuild())
            for one in self._running.values():
                self._tend(one)
            self._write()
            time.sleep(_TICK_SECONDS)
        for one in reversed(self._running.values()):
            self._end(one)
        self._write()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _note_change(self, *_: object) -> None:
        self._changed = True

    def _replace(self, services: Sequence[Service]) -> None:
        """Goes on with other services: ends what is left out or has another command."""
        wanted = {service.name: service for service in services}
        for name, one in self._running.items():
            if name not in wanted or one.service.command != wanted[name].command:
                _LOG.info("%s is %s", name, "replaced" if name in wanted else "no longer wanted")
                self._end(one)
        before = {name: one for name, one in self._running.items() if one.status != "stopped"}
        self._running = {name: before.get(name) or _Running(service) for name, service in wanted.items()}
        self.services = services

    def _tend(self, one: _Running) -> None:
        now = time.monotonic()
        alive = one.process is not None and one.process.poll() is None
        if not alive:
            if one.process is not None and one.status in ("up", "starting"):
                self._note_end(one, now)
            if now >= one.not_before and self._requirements_are_up(one.service):
                self._start(one, now)
        elif now - one.checked >= (_CHECK_SECONDS if one.status == "up" else _TICK_SECONDS):
            self._check(one, now)

    def _note_end(self, one: _Running, now: float) -> None:
        assert one.process is not None
        one.status, one.problem = "down", f"ended with code {one.process.returncode}"
        one.not_before = now + one.pause
        one.pause = min(2 * one.pause, _LONGEST_PAUSE)
        _LOG.warning("%s %s; it is started again", one.service.name, one.problem)

    def _start(self, one: _Running, now: float) -> None:
        service, log = one.service, self.layout.log(one.service.name)
        log.parent.mkdir(parents=True, exist_ok=True)
        one.started = one.checked = now
        try:
            if service.prepare:
                service.prepare()
            with log.open("ab") as file:
                one.process = subprocess.Popen(
                    service.command,
                    env=os.environ | dict(service.environment),
                    stdin=subprocess.DEVNULL,
                    stdout=file,
                    stderr=file,
                    start_new_session=True,
                    cwd=self.layout.directory,
                )
        except (OSError, PhytoflowError) as error:
            one.status, one.problem = "down", str(error)
            one.not_before = now + _LONGEST_PAUSE
            return
        one.status, one.failures, one.restarts = "starting", 0, one.restarts + 1
        _LOG.info("%s is starting (pid %d)", service.name, one.process.pid)

    def _check(self, one: _Running, now: float) -> None:
        one.checked, healthy = now, one.service.health()
        if healthy:
            if one.status != "up":
                if one.service.after_healthy:
                    one.service.after_healthy()
                _LOG.info("%s is up after %.1f s", one.service.name, now - one.started)
                one.pause, one.problem = _FIRST_PAUSE, ""
            one.status, one.failures = "up", 0
            return
        one.failures += 1
        late = one.status == "starting" and now - one.started > one.service.start_seconds
        silent = one.status == "up" and one.failures >= _FAILED_CHECKS
        if late or silent:
            one.problem = "did not become healthy" if late else "no longer answers"
            _LOG.warning("%s %s; it is started again", one.service.name, one.problem)
            self._signal(one, signal.SIGKILL)

    def _requirements_are_up(self, service: Service) -> bool:
        return all(self._running[name].status == "up" for name in service.requires)

    def _end(self, one: _Running) -> None:
        if one.process is not None and one.process.poll() is None:
            self._signal(one, one.service.stop_signal)
            try:
                one.process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self._signal(one, signal.SIGKILL)
                one.process.wait()
        one.status = "stopped"
        self._write()

    def _signal(self, one: _Running, number: int) -> None:
        assert one.process is not None
        with contextlib.suppress(ProcessLookupError):
            os.killpg(one.process.pid, number)

    def _write(self) -> None:
        """Writes what runs, whenever it changed."""
        services = {name: one.state() for name, one in self._running.items()}
        text = json.dumps({"pid": os.getpid(), "services": services}, indent=2)
        if text != self._written:
            self._written = text
            with atomic_file(self.layout.state) as temporary:
                temporary.write_text(text)
