"""Processes of this machine: started together, ended together, started again after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from phytoflow.training.distributed import launch as module
from phytoflow.training.distributed.launch import ProcessError, launch
from tests.support.services.processes import runs

_NOTE = "import os, pathlib; place = pathlib.Path({place!r}); rank = os.environ['RANK']\n"
_ONCE = """
mark = place / f"killed-{rank}"
if rank == "1" and not mark.exists():
    mark.touch(); os.kill(os.getpid(), 9)
(place / rank).write_text(os.environ["WORLD_SIZE"] + " " + os.environ["OMP_NUM_THREADS"])
"""
_FAIL = """
import json
pathlib.Path(os.environ["PHYTOFLOW_FAILURE_FILE"]).write_text(json.dumps(
    {"step": "train", "message": "the disk is full", "remedy": "empty it", "exit_code": 5}))
raise SystemExit(5)
"""
_WAIT = """
import time
(place / rank).write_text(str(os.getpid()))
time.sleep(60)
"""


def program(place: Path, text: str) -> list[str]:
    return ["-c", _NOTE.format(place=str(place)) + text]


def test_a_killed_process_starts_again_with_the_others(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = signal.getsignal(signal.SIGTERM)
    launch(program(tmp_path, _ONCE), 2)
    assert [(tmp_path / rank).read_text().split()[0] for rank in ("0", "1")] == ["2", "2"]
    assert "was killed by SIGKILL; all start again from the last epoch" in caplog.text
    assert signal.getsignal(signal.SIGTERM) is before and module.FAILURE_VARIABLE not in os.environ


def test_a_process_that_fails_is_not_started_again_and_its_words_are_passed_on(tmp_path: Path) -> None:
    with pytest.raises(ProcessError, match="the disk is full") as failed:
        launch(program(tmp_path, _FAIL), 2)
    assert failed.value.exit_code == 5 and failed.value.remedy == "empty it"
    with pytest.raises(ProcessError, match="training process 0 failed"):
        launch(program(tmp_path, "raise SystemExit(1)"), 1)


def test_a_process_that_is_killed_again_and_again_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_RESTARTS", 1)
    with pytest.raises(ProcessError, match="was killed by SIGKILL"):
        launch(program(tmp_path, "os.kill(os.getpid(), 9)"), 1)


def test_sigterm_ends_all_processes(tmp_path: Path) -> None:
    text = (
        f"from phytoflow.training.distributed.launch import launch\nlaunch({program(tmp_path, _WAIT)!r}, 2)"
    )
    parent = subprocess.Popen([sys.executable, "-c", text])
    deadline = time.monotonic() + 60
    while len(list(tmp_path.iterdir())) < 2 or not all(p.read_text() for p in tmp_path.iterdir()):
        assert time.monotonic() < deadline and parent.poll() is None
        time.sleep(0.05)
    children = [int(path.read_text()) for path in tmp_path.iterdir()]
    parent.terminate()
    assert parent.wait(30) == 143
    assert not any(runs(child) for child in children)
