"""A predictor process that outlives its starter: recorded in a state file, ended by process id."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from phytoflow.storage.atomic import atomic_file

PREDICTOR_MODULE = "serving.predictor"
_POLL_SECONDS = 0.1
# Longer than the predictor's own grace period for requests in progress (--grace_period_seconds).
_TERM_SECONDS = 40.0
_KILL_SECONDS = 5.0
_EXITING = 0x4  # the kernel's PF_EXITING: a process that gives its memory back, not yet a zombie


@dataclass(frozen=True)
class PredictorProcess:
    """A predictor's process as its state file records it.

    Attributes:
        pid: Process id.
        started: Start of the process in clock ticks since boot. A reused pid has another one.
        http_port: REST port.
        grpc_port: gRPC port.
        version: Bundle version.
    """

    pid: int
    started: int
    http_port: int
    grpc_port: int
    version: str

    @classmethod
    def of(cls, pid: int, ports: tuple[int, int], version: str) -> PredictorProcess:
        """Describes a process that was just started.

        Args:
            pid: Process id.
            ports: REST and gRPC port.
            version: Bundle version.
        """
        return cls(pid, _start_ticks(pid), *ports, version)

    @classmethod
    def read(cls, state: Path) -> PredictorProcess | None:
        """Reads a state file. Returns None if there is none or it is damaged."""
        try:
            return cls(**json.loads(state.read_text()))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, state: Path) -> None:
        """Writes the state file."""
        with atomic_file(state) as temporary:
            temporary.write_text(json.dumps(asdict(self)) + "\n")

    @property
    def is_running(self) -> bool:
        """Whether this very process still exists, not another one with its pid."""
        if not self.started or _start_ticks(self.pid) != self.started:
            return False
        command = _command_line(self.pid)  # empty while the system loads the program
        return not command or PREDICTOR_MODULE in command

    def terminate(self, patience: float = _TERM_SECONDS) -> None:
        """Sends SIGTERM, waits, and kills the process if it does not end.

        Args:
            patience: Seconds before it is killed.
        """
        for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, _KILL_SECONDS)):
            if not self.is_running:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
            deadline = time.monotonic() + seconds
            while self.is_running and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)


def _start_ticks(pid: int) -> int:
    """Start time of a process in clock ticks since boot. 0 if it does not exist or has ended."""
    with contextlib.suppress(OSError):
        # proc(5): after the command, which may contain ")", field 3 is the state, 9 the flags, 22 the start.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ended = fields[0] == "Z" or int(fields[6]) & _EXITING
        return 0 if ended else int(fields[19])
    return 0


def _command_line(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""
