"""Starts the training processes of this machine with torchrun's launcher, and again after a kill."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from torch.distributed.elastic.multiprocessing.api import SignalException
from torch.distributed.elastic.multiprocessing.errors import ChildFailedError
from torch.distributed.launcher.api import LaunchConfig, elastic_launch

from phytoflow.errors import PhytoflowError
from phytoflow.storage.temporary import temporary_folder
from phytoflow.system.cpu import cpu_count
from phytoflow.system.lifeline import TerminatedError

MOST_RESTARTS = 5
"""Kills of a process that one training survives."""
FAILURE_VARIABLE = "PHYTOFLOW_FAILURE_FILE"
_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT)
_SECONDS_TO_END = 10  # for a process that is asked to end
_LOG = logging.getLogger(__name__)


class ProcessError(PhytoflowError):
    """A training process failed, in its own words.

    Args:
        message: What it said.
        remedy: What to do.
        exit_code: Its exit code.
    """

    def __init__(self, message: str, *, remedy: str = "", exit_code: int = 1) -> None:
        super().__init__(message, remedy=remedy)
        self.exit_code = exit_code


def launch(arguments: Sequence[str], processes: int) -> None:
    """Runs a Python program in several processes that find each other by torchrun's variables.

    When one is killed, by a signal that nobody sent to this process, all are started again: they resume from
    their checkpoints.

    Args:
        arguments: Of the Python interpreter.
        processes: Number of processes.

    Raises:
        ProcessError: A process failed, or was killed too often.
        TerminatedError: SIGTERM ended this process and with it the others; SIGINT raises KeyboardInterrupt.
    """
    if processes > cpu_count():
        _LOG.warning("%d training processes share %d CPUs: this is not faster", processes, cpu_count())
    logging.getLogger("torch.distributed.elastic").setLevel(
        logging.CRITICAL
    )  # it repeats what is raised here
    with temporary_folder() as folder, _own_environment(folder / "failure.json", processes), _own_handlers():
        for restarts in range(MOST_RESTARTS + 1):
            try:
                elastic_launch(_config(processes), sys.executable)(*arguments)
                return
            except ChildFailedError as error:
                _refuse_restart(error, folder / "failure.json", restarts)
            except SignalException as error:
                if error.sigval == signal.SIGINT:
                    raise KeyboardInterrupt from None
                raise TerminatedError from None


def _config(processes: int) -> LaunchConfig:
    return LaunchConfig(
        min_nodes=1,
        max_nodes=1,
        nproc_per_node=processes,
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        local_addr="localhost",
        max_restarts=0,
        run_id=uuid.uuid4().hex,
        shutdown_timeout=_SECONDS_TO_END,
    )


def _refuse_restart(error: ChildFailedError, failure: Path, restarts: int) -> None:
    """Raises what a process failed of; returns if it was killed and may start again."""
    if failure.exists():
        words = json.loads(failure.read_text())
        raise ProcessError(words["message"], remedy=words["remedy"], exit_code=words["exit_code"]) from None
    rank, first = error.get_first_failure()
    killed = first.exitcode < 0
    how = f"was killed by {signal.Signals(-first.exitcode).name}" if killed else "failed; its log says why"
    if not killed or restarts == MOST_RESTARTS:
        remedy = "give each process more memory, or set training.devices=1" if killed else ""
        raise ProcessError(f"training process {rank} {how}", remedy=remedy) from error
    _LOG.warning("training process %d %s; all start again from the last epoch", rank, how)


@contextmanager
def _own_environment(failure: Path, processes: int) -> Iterator[None]:
    """Variables that the processes inherit."""
    own = {
        FAILURE_VARIABLE: str(failure),
        "OMP_NUM_THREADS": str(max(1, cpu_count() // processes)),
        "GLOO_SOCKET_IFNAME": "lo",  # the machine's name need not have an address
    }
    before = {name: os.environ.get(name) for name in own}
    os.environ.update(own)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@contextmanager
def _own_handlers() -> Iterator[None]:
    """Restores the signal handlers that the launcher replaces."""
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
