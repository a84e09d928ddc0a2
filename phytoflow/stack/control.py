"""Starts, looks at and ends a stack from the command line."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from phytoflow.errors import ConfigError, ServingError
from phytoflow.stack.layout import Layout
from phytoflow.stack.plan import OPTIONAL, Plan, runs_folder
from phytoflow.storage.uri import exists, is_local, join
from phytoflow.system.ports import check_free, free_port

INTERNAL_PORTS = ("predictor", "predictor_grpc", *OPTIONAL, "worker", "challenger", "challenger_grpc")
_STOP_SECONDS = 90.0
_START_SECONDS = 180.0


@dataclass(frozen=True)
class StackState:
    """What runs.

    Attributes:
        pid: The supervisor; None if the stack is down.
        services: Status, pid, restarts, problem and whether it is optional of each service by name.
    """

    pid: int | None
    services: dict[str, dict[str, Any]]

    @property
    def is_up(self) -> bool:
        """Whether photos are answered: every service is up that is not optional."""
        return self.pid is not None and all(self.services[name].get("optional") for name in self.missing)

    @property
    def missing(self) -> list[str]:
        """Services that are not up, those without which no photo is answered first."""
        names = [name for name, one in self.services.items() if one["status"] != "up"]
        return sorted(names, key=lambda name: bool(self.services[name].get("optional")))


def read_state(layout: Layout) -> StackState:
    """Looks at a stack."""
    try:
        fields = json.loads(layout.state.read_text())
    except (OSError, ValueError):
        return StackState(None, {})
    return StackState(fields["pid"] if _is_locked(layout) else None, fields["services"])


def start(
    layout: Layout,
    *,
    bundle: str,
    host: str,
    port: int,
    without: tuple[str, ...],
    on_change: Callable[[dict[str, dict[str, Any]]], None],
) -> Plan:
    """Starts a stack and waits until it answers photos; optional services may come up later.

    Args:
        layout: Its folder.
        bundle: Folder or URI of the bundle; empty: that of the last start.
        host: Address of the gateway.
        port: Port of the gateway.
        without: Optional services that are not wanted.
        on_change: Called with the services whenever their state changed.

    Raises:
        ConfigError: No bundle, an unknown service, or the stack is up already.
        ServingError: The port is taken, or a service that is not optional did not come up; its log is named.
    """
    if read_state(layout).pid is not None:
        raise ConfigError(f"the stack in {layout.directory} is up already", remedy="phytoflow stack status")
    if unknown := sorted(set(without) - set(OPTIONAL)):
        raise ConfigError(
            f"there is no optional service {unknown[0]!r}", remedy=f"choose of {', '.join(OPTIONAL)}"
        )
    plan = _plan(layout, bundle, host, port, without)
    check_free(port, "--port")
    plan.write(layout)
    layout.state.unlink(missing_ok=True)
    log = layout.log("supervisor")
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as file:
        process = subprocess.Popen(
            [sys.executable, "-m", "phytoflow.stack", str(layout.directory)],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    _await_up(layout, process, on_change)
    return plan


def stop(layout: Layout) -> bool:
    """Ends a stack in good order; False if it was not up.

    Raises:
        ServingError: It does not end.
    """
    state = read_state(layout)
    if state.pid is None:
        return False
    os.kill(state.pid, signal.SIGTERM)
    deadline = time.monotonic() + _STOP_SECONDS
    while _is_locked(layout):
        if time.monotonic() > deadline:
            raise ServingError(
                f"the stack did not end within {_STOP_SECONDS:g} s", remedy=f"see {layout.log('supervisor')}"
            )
        time.sleep(0.1)
    return True


def _plan(layout: Layout, bundle: str, host: str, port: int, without: tuple[str, ...]) -> Plan:
    last = Plan.read(layout)
    bundle = bundle or (last.bundle if last else "") or ("out/bundle" if Path("out/bundle").is_dir() else "")
    if not bundle:
        raise ConfigError("there is no bundle to serve", remedy="phytoflow run makes one; or give --bundle")
    if not exists(join(bundle, "bundle.json")):
        raise ConfigError(
            f"there is no bundle at {bundle}", remedy="give the folder or URI that holds bundle.json"
        )
    if is_local(bundle):
        bundle = str(Path(bundle).resolve())
    ports = (last.ports if last else {}) or {}
    ports = {name: ports.get(name) or free_port() for name in INTERNAL_PORTS}
    # A rollout goes on over a restart.
    challenger = last.challenger if last and last.bundle == bundle else ""
    return Plan(bundle, host, port, ports, without, runs_folder(bundle), challenger)


def _await_up(
    layout: Layout,
    process: subprocess.Popen[bytes],
    on_change: Callable[[dict[str, dict[str, Any]]], None],
) -> None:
    deadline, before = time.monotonic() + _START_SECONDS, None
    while True:
        state = read_state(layout)
        shown = {name: one["status"] for name, one in state.services.items()}
        if shown != before:
            before = shown
            on_change(state.services)
        if state.services and state.is_up:
            return
        if process.poll() is not None or time.monotonic() > deadline:
            raise _not_up(layout, state)
        time.sleep(0.1)


def _not_up(layout: Layout, state: StackState) -> ServingError:
    down = state.missing or ["supervisor"]
    log = layout.log(down[0])
    tail = log.read_text(errors="replace").splitlines()[-8:] if log.exists() else []
    problem = state.services.get(down[0], {}).get("problem", "")
    what = "\n".join([f"{', '.join(down)} did not come up", *([problem] if problem else []), *tail])
    return ServingError(what, remedy=f"see {log}; `phytoflow stack down` ends the others")


def _is_locked(layout: Layout) -> bool:
    """Whether a supervisor holds the stack; a lock file that a killed one left behind is free."""
    try:
        lock = os.open(layout.lock, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(lock)
