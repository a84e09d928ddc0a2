"""Real PostgreSQL and Redis servers for tests, each with its own port and folder."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from phytoflow.system.ports import free_port

_POSTGRES_FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)


@dataclass
class RunningServer:
    """A server process.

    Attributes:
        url: Its address.
        command: How it is started, again after ``kill``.
        ready: Whether it answers.
        process: The process.
    """

    url: str
    command: list[str]
    ready: Callable[[], bool]
    log: Path
    process: subprocess.Popen[bytes] | None = field(default=None)

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, start_new_session=True)
        deadline = time.monotonic() + 60
        while not self.ready():
            assert time.monotonic() < deadline, f"no answer from {self.command[0]}:\n{self.log.read_text()}"
            assert self.process.poll() is None, self.log.read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """Ends the server without warning, and every process it started."""
        self._signal(signal.SIGKILL)

    def stop(self) -> None:
        """Ends the server in good order."""
        self._signal(signal.SIGINT)

    def _signal(self, number: int) -> None:
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, number)
            self.process.wait(30)


def redis_server(folder: Path) -> RunningServer:
    """A Redis server that writes an append-only file; skips the test if there is none."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("no redis-server on PATH (Debian: apt-get install redis-server)")
    port = free_port()
    command = [program, "--port", str(port), "--dir", str(folder), "--appendonly", "yes", "--save", ""]

    def ready() -> bool:
        cli = shutil.which("redis-cli") or "redis-cli"
        done = subprocess.run([cli, "-p", str(port), "ping"], capture_output=True, check=False)
        return done.stdout.strip() == b"PONG"

    server = RunningServer(f"redis://127.0.0.1:{port}/0", command, ready, folder / "redis.log")
    server.start()
    return server


def postgres_server(folder: Path) -> RunningServer:
    """A PostgreSQL server with an empty database `gateway`; skips the test if there is none."""
    if not _POSTGRES_FOLDERS:
        pytest.skip("no PostgreSQL server (Debian: apt-get install postgresql)")
    # Not below pytest's folder: another session closes that to other users when it starts.
    data = Path(tempfile.mkdtemp(prefix="postgres-"))
    atexit.register(shutil.rmtree, data, ignore_errors=True)
    programs, port = _POSTGRES_FOLDERS[0], free_port()
    as_user = _as_postgres(data)
    initdb = [str(programs / "initdb"), "-D", str(data), "-U", "gateway", "-A", "trust", "-E", "UTF8", "-N"]
    subprocess.run([*as_user, *initdb], check=True, capture_output=True)
    command = [*as_user, str(programs / "postgres"), "-D", str(data), "-p", str(port), "-k", str(data)]
    command += ["-c", "listen_addresses=127.0.0.1", "-c", "max_connections=40"]

    def ready() -> bool:
        check = [str(programs / "pg_isready"), "-h", "127.0.0.1", "-p", str(port), "-q"]
        return subprocess.run(check, check=False).returncode == 0

    url = f"postgresql+asyncpg://gateway@127.0.0.1:{port}/gateway"
    server = RunningServer(url, command, ready, folder / "postgres.log")
    server.start()
    create = [str(programs / "createdb"), "-h", "127.0.0.1", "-p", str(port), "-U", "gateway", "gateway"]
    subprocess.run(create, check=True)
    return server


def _as_postgres(data: Path) -> list[str]:
    """PostgreSQL refuses to run as root: then as the user that its package made."""
    if os.geteuid() != 0:
        return []
    shutil.chown(data, "postgres", "postgres")
    return ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
