"""`phytoflow tune` as a process: killed twice in a trial, it goes on and ends with settings for a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
from optuna.trial import TrialState

from tests.support.small_training import write_photos
from tests.support.tuning.trials import SMALL

TIMEOUT = 600.0  # seconds


def states(study_file: Path) -> list[TrialState]:
    if not study_file.exists():
        return []
    try:
        study = optuna.load_study(study_name="search", storage=f"sqlite:///{study_file}")
    except Exception:  # not created yet
        return []
    return [trial.state for trial in study.trials]


def test_a_search_that_is_killed_twice_loses_no_finished_trial(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 24)
    output = tmp_path / "search"
    command = [sys.executable, "-m", "phytoflow.cli", "tune", "--data", str(tmp_path / "photos")]
    command += ["--output", str(output), "--trials", "4", "--photos", "30"]
    settings = [*SMALL, "data.near_duplicate_max_distance=0", "training.min_finetune_steps=60"]
    command += [word for setting in settings for word in ("--set", setting)]
    finished = 0
    for wanted in (1, 2):
        process = subprocess.Popen(command, start_new_session=True)
        deadline = time.monotonic() + TIMEOUT
        while True:
            found = states(output / "study.db")
            if found.count(TrialState.COMPLETE) >= wanted and TrialState.RUNNING in found:
                break
            assert time.monotonic() < deadline and process.poll() is None, found
            time.sleep(0.05)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        now = states(output / "study.db").count(TrialState.COMPLETE)
        assert now >= max(finished, wanted)
        finished = now
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0, done.stderr
    final = states(output / "study.db")
    assert final.count(TrialState.COMPLETE) + final.count(TrialState.PRUNED) == 4
    assert TrialState.RUNNING not in final and 1 <= final.count(TrialState.FAIL) <= 2
    assert (output / "best.yaml").exists() and (output / "search.html").exists()
    show = [sys.executable, "-m", "phytoflow.cli", "settings", "--config", str(output / "best.yaml")]
    assert "training" in subprocess.run(show, capture_output=True, text=True, check=True).stdout
