"""A step's process: its lines, its exit code, and that nothing of it is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.step_process import StepProcess
from tests.support.services.processes import group_members, runs, wait_until

_STEP = """
import subprocess, sys, time
from phytoflow.steps.context import step
with step("train"):
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    print(worker.pid, flush=True)
    time.sleep(600)
"""
_RUN = """
import os, sys
from pipelines.step_process import StepProcess
process = StepProcess(["sh", "-c", '"$0" "$@"; exit $?', sys.executable, "-c", sys.argv[1]], dict(os.environ))
for line in process.lines(0.1):
    print(line or "", flush=True)
"""


def shell(script: str) -> StepProcess:
    return StepProcess(["sh", "-c", script], dict(os.environ))


def test_lines_come_as_they_are_written() -> None:
    process = shell(r"printf 'one\ntw'; sleep 0.3; printf 'o\n\377 caf\303\251'; exit 3")
    lines = list(process.lines(0.05))
    assert [line for line in lines if line is not None] == ["one", "two", "� café"]
    assert None in lines and process.wait() == 3


@pytest.mark.parametrize(
    ("script", "code"), [("exit 0", 0), ("kill -KILL $$", -9), ("sh -c 'kill -SEGV $$'; exit $?", -11)]
)
def test_its_exit_code_tells_which_signal_killed_it(script: str, code: int) -> None:
    process = shell(script)
    list(process.lines(0.05))
    assert process.wait() == code


def test_what_it_leaves_behind_is_ended(tmp_path: Path) -> None:
    process = shell("sleep 600 & echo $!")
    (worker,) = [int(line) for line in process.lines(0.05) if line]
    assert process.wait() == 0
    wait_until(lambda: not runs(worker), 10, "a process of the step runs")


def test_end_lets_it_clean_up_and_leaves_nothing() -> None:
    process = StepProcess([sys.executable, "-c", _STEP], dict(os.environ))
    worker = next(int(line) for line in process.lines(0.1) if line)
    assert runs(worker)
    list(process.end())
    wait_until(lambda: not runs(worker), 10, "a process of the step runs")


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_it_ends_with_the_run_that_started_it(number: signal.Signals) -> None:
    command = [sys.executable, "-c", _RUN, _STEP]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, stderr=subprocess.DEVNULL) as run:
        assert run.stdout is not None
        worker = next(int(line) for line in run.stdout if line.strip())
        group = os.getpgid(worker)
        run.send_signal(number)
        run.wait(20)
        wait_until(lambda: not group_members(group), 20, "a process of the step runs")
