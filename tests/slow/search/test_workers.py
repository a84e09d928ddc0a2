"""Four workers on one study in a real PostgreSQL."""

from __future__ import annotations

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
