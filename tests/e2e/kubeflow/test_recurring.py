"""`phytoflow pipeline submit --cron`: Kubeflow Pipelines starts the runs itself."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.kubeflow.runs import Runs, wait_until
from tests.e2e.names import own_name

NAME = own_name("weekly")
EVERY_MINUTE = "0 * * * * *"
pytestmark = pytest.mark.timeout(900)


def submit(runs: Runs, cron: str) -> None:
    """The command of docs/how-to/cluster-run.md."""
    parameters = runs.parameters(NAME)
    settings = runs.folder / "settings.yaml"
    settings.write_text(parameters["overrides"])
    place = ["--host", runs.host, "--data", parameters["data"], "--output", parameters["output"]]
    place += ["--pipeline", str(runs.package()), "--config", str(settings), "--experiment", "tests"]
    command = [sys.executable, "-m", "phytoflow.cli", "pipeline", "submit", *place]
    done = subprocess.run([*command, "--name", NAME, "--cron", cron], capture_output=True, text=True)
    assert done.returncode == 0 and "recurring run " in done.stdout, done.stdout + done.stderr


def recurring(runs: Runs) -> list[Any]:
    """Recurring runs of the test."""
    client = runs.backend.client
    listed = client.list_recurring_runs(page_size=100).recurring_runs or []
    return [one for one in listed if one.display_name == NAME]


def started(runs: Runs, recurring_id: str) -> list[Any]:
    """Runs that it has started."""
    listed = runs.backend.client.list_runs(page_size=100, sort_by="created_at desc").runs or []
    return [run for run in listed if run.recurring_run_id == recurring_id]


@pytest.fixture
def cleared(runs: Runs) -> Iterator[None]:
    yield
    for one in recurring(runs):
        runs.backend.client.delete_recurring_run(
            one.recurring_run_id
        )  # and with it the workflows of its runs


@pytest.mark.usefixtures("cleared")
def test_a_recurring_run_starts_by_itself_and_a_second_of_its_name_replaces_it(runs: Runs) -> None:
    submit(runs, "0 0 3 1 1 *")
    (before,) = recurring(runs)
    submit(runs, EVERY_MINUTE)
    (now,) = recurring(runs)
    assert now.recurring_run_id != before.recurring_run_id and now.trigger.cron_schedule.cron == EVERY_MINUTE
    wait_until(lambda: bool(started(runs, now.recurring_run_id)), 240, "a run that nobody submitted")
    run = started(runs, now.recurring_run_id)[0]
    assert run.runtime_config.parameters["output"] == f"{runs.prefix}/{NAME}"
