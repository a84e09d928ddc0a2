"""Four workers on one study in a real PostgreSQL."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import optuna
from optuna.trial import TrialState

from phytoflow.tuning.storage import open_storage
from tests.slow.search.test_killed import TIMEOUT
from tests.support.services.databases import postgres_server

WORKERS = 4


_CREATE = """
import sys
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.tuning.budget import Budget
from phytoflow.tuning.plan import Plan
from phytoflow.tuning.space import search_space
from phytoflow.tuning.study import StudyPlace, create_study
overrides = SettingsOverrides.read(None, [])
plan = Plan(overrides, search_space("quick", overrides), Budget(trials=1))
print("ready", flush=True)
sys.stdin.readline()
create_study(StudyPlace(sys.argv[1]), plan, "origin")
"""


def test_workers_that_begin_at_the_same_moment_create_one_study(tmp_path: Path) -> None:
    server = postgres_server(tmp_path)
    address = server.url.replace("+asyncpg", "")
    command = [sys.executable, "-c", _CREATE, address]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen(command, **pipes) for _ in range(WORKERS)]  # type: ignore[call-overload]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    assert [worker.wait(TIMEOUT) for worker in workers] == [0] * WORKERS
    (first,) = optuna.load_study(study_name="search", storage=open_storage(address)).trials
    server.stop()
    assert first.state == TrialState.WAITING and first.user_attrs["start"]


_WORK = (
    _CREATE.replace("Budget(trials=1)", "Budget(trials=12)")
    + """
import os, signal
from phytoflow.tuning.space import suggest
from phytoflow.tuning.study import begin_trial, join_study
place = StudyPlace(sys.argv[1], worker=sys.argv[2])
study = join_study(place, plan)
while trial := begin_trial(study, place, plan.budget):
    values = suggest(trial, plan.space)
    if sys.argv[3:]:
        os.kill(os.getpid(), signal.SIGKILL)
    study.tell(trial, float(trial.number))
"""
)


def test_a_killed_workers_trial_is_repeated_and_none_is_lost_or_run_twice(tmp_path: Path) -> None:
    server = postgres_server(tmp_path)
    address = server.url.replace("+asyncpg", "")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    arguments = (("2", "killed"), ("1",), ("3",), ("4",), ("2",))
    workers = [
        subprocess.Popen([sys.executable, "-c", _WORK, address, *words], **pipes)  # type: ignore[call-overload]
        for words in arguments
    ]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    killed, *others = workers
    killed.communicate("\n", TIMEOUT)
    assert killed.returncode == -signal.SIGKILL
    for worker in others:
        worker.stdin.write("\n")
        worker.stdin.flush()
    assert [worker.wait(TIMEOUT) for worker in others] == [0] * WORKERS
    trials = optuna.load_study(study_name="search", storage=open_storage(address)).trials
    server.stop()
    first, *ended = trials
    assert first.state == TrialState.FAIL and first.user_attrs["worker"] == "2"
    assert {trial.state for trial in ended} == {TrialState.COMPLETE}
    assert len(ended) == 12
    (repeated,) = [trial for trial in ended if trial.user_attrs.get("repeats") == first.number]
    assert repeated.params == first.params and repeated.user_attrs["start"]
    assert repeated.user_attrs["worker"] == "2"
    assert sum(bool(trial.user_attrs.get("start")) for trial in ended) == 1
    assert len({tuple(sorted(trial.params.items())) for trial in ended}) == len(ended)


def test_a_worker_goes_on_after_its_database_was_restarted(tmp_path: Path) -> None:
    server = postgres_server(tmp_path)
    study = optuna.create_study(storage=open_storage(server.url.replace("+asyncpg", "")))
    study.ask()
    server.stop()
    server.start()
    assert len(study.trials) == 1
    server.stop()
