"""A process that holds a lifeline ends, with all it started, when the other end is gone."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from phytoflow.system.lifeline import TERMINATED, Lifeline
from tests.support.services.processes import runs, wait_until

_CHILD = """
import pathlib, subprocess, sys, time
from phytoflow.system.lifeline import hold_lifeline
hold_lifeline()
grandchild = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
try:
    print(grandchild.pid, flush=True)  # it may be told to end from here on
    time.sleep(600)
finally:
    pathlib.Path(sys.argv[1]).write_text("cleaned up")
    if len(sys.argv) > 2:
        time.sleep(600)
"""


def start(lifeline: Lifeline, *arguments: str) -> tuple[subprocess.Popen[str], int]:
    """The process behind a shell, as KFP starts steps, and its grandchild's id."""
    script = 'true; "$0" "$@"; exit $?'
    process = subprocess.Popen(
        ["sh", "-c", script, sys.executable, "-c", _CHILD, *arguments],
        env=os.environ | lifeline.environment(),
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        pass_fds=[lifeline.child_end],
    )
    lifeline.started()
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def test_it_cleans_up_and_ends_when_the_lifeline_is_cut(tmp_path: Path) -> None:
    lifeline = Lifeline()
    process, grandchild = start(lifeline, str(tmp_path / "done"))
    assert process.poll() is None
    lifeline.cut()
    assert process.wait(20) == TERMINATED
    assert (tmp_path / "done").read_text() == "cleaned up"
    os.kill(grandchild, signal.SIGKILL)
    lifeline.cut()  # twice does no harm


def test_its_whole_group_is_killed_if_it_does_not_end_in_time(tmp_path: Path) -> None:
    lifeline = Lifeline()
    process, grandchild = start(lifeline, str(tmp_path / "done"), "and hang")
    lifeline.cut()
    assert process.wait(30) == -signal.SIGKILL
    wait_until(lambda: not runs(grandchild), 10, "the grandchild runs")


def test_without_a_lifeline_a_process_goes_on() -> None:
    code = "from phytoflow.system.lifeline import hold_lifeline; hold_lifeline(); print('on')"
    environment = {k: v for k, v in os.environ.items() if k != "PHYTOFLOW_LIFELINE"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    assert done.stdout == "on\n"
