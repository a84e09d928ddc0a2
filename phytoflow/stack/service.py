"""A service of the stack: how it is started, and when it is healthy."""

from __future__ import annotations

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_TIMEOUT_SECONDS = 3.0
# Health checks go to this machine only, never through a proxy.
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))

Health = Callable[[], bool]


@dataclass(frozen=True)
class Service:
    """One process of the stack.

    Attributes:
        name: Its name, the same as in compose.yaml.
        command: Program and arguments.
        health: Whether it can be used.
        environment: Variables added to the supervisor's own.
        prepare: What is done once before each start, e.g. making a database.
        requires: Services that must be healthy first.
        start_seconds: Longest wait for it to become healthy.
        stop_signal: Signal that ends it in good order.
        after_healthy: What is done once after each start, as soon as it is healthy.
        optional: Whether the stack counts as up without it.
    """

    name: str
    command: tuple[str, ...]
    health: Health
    environment: Mapping[str, str] = field(default_factory=dict)
    prepare: Callable[[], None] | None = None
    requires: tuple[str, ...] = ()
    start_seconds: float = 60.0
    stop_signal: int = 15
    after_healthy: Callable[[], None] | None = None
    optional: bool = False

    def describe(self) -> dict[str, Any]:
        """What `status` shows before it runs."""
        return {"name": self.name, "command": " ".join(self.command[:4])}


def http_health(url: str) -> Health:
    """Healthy while the URL answers 200."""

    def check() -> bool:
        try:
            with _DIRECT.open(url, timeout=_TIMEOUT_SECONDS) as response:
                return bool(response.status == 200)
        except (OSError, urllib.error.URLError, ValueError):
            return False

    return check


def fresh_file_health(path: Path, seconds: float) -> Health:
    """Healthy while the file was touched within the given seconds."""

    def check() -> bool:
        try:
            return time.time() - path.stat().st_mtime < seconds
        except OSError:
            return False

    return check


def command_health(command: list[str], environment: Mapping[str, str] | None = None) -> Health:
    """Healthy while the command ends well."""

    def check() -> bool:
        try:
            done = subprocess.run(
                command, env=environment, capture_output=True, timeout=_TIMEOUT_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired):
            return False
        return done.returncode == 0

    return check
