"""A predictor's process that outlives the one that started it: remembered in a file, ended by pid."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from phytoflow.storage.atomic import atomic_file

_POLL_SECONDS = 0.1
_STOP_SECONDS = 40.0
_KILL_SECONDS = 5.0
PREDICTOR_MODULE = "serving.predictor"


@dataclass(frozen=True)
class Predictor:
    """A predictor's process, as its state file has it.

    Attributes:
        pid: Process id.
        started: Its start, in clock ticks since boot: a reused pid has another.
        http_port: REST port.
        grpc_port: gRPC port.
        version: Of the bundle.
    """

    pid: int
    started: int
    http_port: int
    grpc_port: int
    version: str

    @classmethod
    def of(cls, pid: int, ports: tuple[int, int], version: str) -> Predictor:
        """A process just started."""
        return cls(pid, _started(pid), *ports, version)

    @classmethod
    def read(cls, state: Path) -> Predictor | None:
        """The predictor a state file remembers; None if there is none, or the file is damaged."""
        try:
            return cls(**json.loads(state.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, state: Path) -> None:
        """Remembers it in a file."""
        with atomic_file(state) as aside:
            aside.write_text(json.dumps(asdict(self)) + "\n")

    @property
    def runs(self) -> bool:
        """Whether this very process is still there."""
        return (
            self.started > 0 and _started(self.pid) == self.started and PREDICTOR_MODULE in _command(self.pid)
        )

    def end(self) -> None:
        """Asks the process to finish, and kills it if it does not; never another that has its pid."""
        for sign, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, _KILL_SECONDS)):
            if not self.runs:
                return
            os.kill(self.pid, sign)
            deadline = time.monotonic() + seconds
            while self.runs and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)


def _started(pid: int) -> int:
    """Start time in clock ticks since boot; 0 if the process is gone or a zombie."""
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return 0 if fields[0] == "Z" else int(fields[19])
    return 0


def _command(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""
