"""A server's processes: started, waited for, weighed and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.serving.commands import ROOT, command_of, environment_of
from benchmarks.serving.environments import UnavailableError
from benchmarks.serving.registry import Peer
from phytoflow.system.ports import free_port

_READY_SECONDS = 90.0
_STOP_SECONDS = 10.0
_LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Server:
    """One that runs.

    Attributes:
        port: Where it listens.
        process: The first of its processes.
        started: When that was started, by ``time.monotonic``.
    """

    port: int
    process: psutil.Process
    started: float

    def cpu_seconds(self) -> float:
        """Spent so far by all its processes, those that have ended and were waited for among them."""
        times = self._of_each("cpu_times")
        return sum(t.user + t.system + t.children_user + t.children_system for t in times)

    def megabytes(self) -> float:
        """Memory of all its processes; what they share is counted once."""
        return sum(m.pss for m in self._of_each("memory_full_info")) / 2**20

    def runs(self) -> bool:
        """Whether its first process has not ended."""
        try:
            return self.process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False

    def _of_each(self, what: str) -> Iterator[psutil._common.pmem]:
        for process in [self.process, *self.process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                yield getattr(process, what)()


@contextlib.contextmanager
def running(
    peer: Peer, form: str, workers: int, output: Path, options: Sequence[str] = (), checkout: Path = ROOT
) -> Iterator[Server]:
    """Starts a server and ends it with everything it started.

    Args:
        peer: Which.
        form: Of the model: eager, torchscript, onnx or openvino.
        workers: Processes of a peer; with more than one, each has one thread.
        output: Folder of the bundle, the environments and the logs.
        options: Further ones.
        checkout: Of ours: where its code is.

    Raises:
        UnavailableError: It cannot be installed or does not become ready.
    """
    port = free_port()
    command = command_of(peer, form, workers, port, output)
    log = output / "logs" / f"{peer.name.lower()}-{form}-{port}.log"
    log.parent.mkdir(exist_ok=True)
    started = time.monotonic()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [*command, *options],
            cwd=checkout,
            env=environment_of(peer, workers, checkout),
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
    try:
        _wait(process, f"http://127.0.0.1:{port}{peer.ready}", log)
        yield Server(port, psutil.Process(process.pid), started)
    finally:
        _end(process)


def _wait(process: subprocess.Popen[bytes], url: str, log: Path) -> None:
    deadline = time.monotonic() + _READY_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(_LOOK_SECONDS)
    raise UnavailableError(
        f"it did not become ready; see {log.name}: {log.read_text(errors='replace')[-300:]}"
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """The whole session, and children that have made sessions of their own."""
    children = _children(process.pid)
    for sign in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, sign)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_STOP_SECONDS)
            break
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    for child in children:
        with contextlib.suppress(psutil.NoSuchProcess):
            child.kill()


def _children(pid: int) -> list[psutil.Process]:
    """Theirs, too; asked for while they live, as an orphan's parent is forgotten."""
    try:
        return psutil.Process(pid).children(recursive=True)
    except psutil.NoSuchProcess:
        return []
