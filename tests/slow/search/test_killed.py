"""`phytoflow tune` as a process: killed twice in a trial, it goes on and ends with settings for a run."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from tests.support.small_training import write_photos
from tests.support.tuning.trials import SMALL

TIMEOUT = 600.0  # seconds
SETTINGS = [*SMALL, "data.near_duplicate_max_distance=0", "training.min_finetune_steps=12"]


def tune_command(folder: Path, output: Path, *options: str) -> list[str]:
    command = [sys.executable, "-m", "phytoflow.cli", "tune", "--data", str(folder / "photos")]
    command += ["--output", str(output), "--trials", "4", "--photos", "30", *options]
    return command + [word for setting in SETTINGS for word in ("--set", setting)]


def states(study_file: Path) -> list[TrialState]:
    if not study_file.exists():
        return []
    try:
        study = optuna.load_study(study_name="search", storage=f"sqlite:///{study_file}")
    except Exception:  # not created yet
        return []
    return [trial.state for trial in study.trials]


def wait_for_trial(process: subprocess.Popen[bytes], study_file: Path, complete: int) -> None:
    """Waits until a trial runs after so many complete ones."""
    deadline = time.monotonic() + TIMEOUT
    while True:
        found = states(study_file)
        if found.count(TrialState.COMPLETE) >= complete and TrialState.RUNNING in found:
            return
        assert time.monotonic() < deadline and process.poll() is None, found
        time.sleep(0.5)


@pytest.mark.timeout(3 * TIMEOUT)
def test_a_search_that_is_killed_twice_loses_no_finished_trial(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 24)
    output = tmp_path / "search"
    command = tune_command(tmp_path, output)
    finished = 0
    for wanted in (1, 2):
        process = subprocess.Popen(command, start_new_session=True)
        try:
            wait_for_trial(process, output / "study.db", wanted)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        now = states(output / "study.db").count(TrialState.COMPLETE)
        assert now >= max(finished, wanted)
        finished = now
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    assert done.returncode == 0, done.stderr
    final = states(output / "study.db")
    assert final.count(TrialState.COMPLETE) + final.count(TrialState.PRUNED) == 4
    assert TrialState.RUNNING not in final and final.count(TrialState.FAIL) <= 2
    assert (output / "best.yaml").exists() and (output / "search.html").exists()
    show = [sys.executable, "-m", "phytoflow.cli", "settings", "--config", str(output / "best.yaml")]
    assert "training" in subprocess.run(show, capture_output=True, text=True, check=True).stdout


@pytest.mark.timeout(3 * TIMEOUT)
def test_two_workers_share_the_trials_of_one_study(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 24)
    address = f"journal://{tmp_path / 'study.log'}"
    workers = []
    for name in "12":
        options = ("--storage", address, "--worker", name)
        workers.append(subprocess.Popen(tune_command(tmp_path, tmp_path / name, *options)))
    assert [worker.wait(TIMEOUT) for worker in workers] == [0, 0]
    storage = JournalStorage(JournalFileBackend(str(tmp_path / "study.log")))
    trials = optuna.load_study(study_name="search", storage=storage).trials
    ended = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    assert 4 <= len(ended) <= 5 and len(ended) == len(trials)
    assert {trial.user_attrs["worker"] for trial in ended} == {"1", "2"}
    assert sum(bool(trial.user_attrs.get("start")) for trial in ended) >= 1
    drawn = [trial.params["training.finetune_learning_rate"] for trial in ended]
    assert len(set(drawn)) >= len(drawn) - 1
    for name in "12":
        assert (tmp_path / name / "best.yaml").exists() and (tmp_path / name / "search.html").exists()
