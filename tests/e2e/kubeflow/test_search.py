"""The pipeline that searches, on a Kubeflow Pipelines backend: two workers share a study in a PostgreSQL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.config.loader import load_settings
from phytoflow.deploy.trainjob.environment import STUDY_STORAGE
from phytoflow.storage.uri import read_bytes
from pipelines.compile_options import SIZES
from pipelines.submit import wait
from tests.e2e.cluster import kubectl
from tests.e2e.kubeflow.runs import STEPS, Runs, log_of, step_pods
from tests.e2e.names import own_name
from tests.e2e.search.database import PASSWORD, address_at, study_database

MINUTES = 40 * 60
WORKERS, TRIALS = 2, 6
NAME = own_name("search")
ENDED = re.compile(r"trial (\d+)(?:: loss| was ended early)")
pytestmark = [pytest.mark.timeout(2 * MINUTES), pytest.mark.usefixtures("study")]


@pytest.fixture
def study(runs: Runs) -> Iterator[None]:
    """The study's address in the Secret with the stores' keys, put there as docs/how-to/search.md says."""
    secret = ("-n", STEPS, "patch", "secret", "phytoflow-s3")
    address = {"stringData": {STUDY_STORAGE: address_at(f"postgresql.{NAME}")}}
    with study_database(NAME):
        kubectl(*secret, "--type", "merge", "-p", json.dumps(address))
        yield
        kubectl(*secret, "--type", "merge", "-p", json.dumps({"data": {STUDY_STORAGE: None}}))


def trials_of(log: str) -> set[str]:
    """Numbers of the trials that a worker has ended."""
    return set(ENDED.findall(log))


def test_two_pods_share_the_trials_and_the_model_is_trained_with_the_best_settings(
    runs: Runs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = {"cpu_request": "250m", "memory_request": "1G"}  # both workers fit on a small node
    monkeypatch.setitem(SIZES, "work-on-search", SIZES["work-on-search"].model_copy(update=small))
    quick = {"folds": 2, "evaluated_folds": 1, "finetune_epochs": 1}
    search = f"{{trials: {TRIALS}, photos: 60}}"
    run = runs.create(NAME, runs.package(workers=WORKERS), search, training=quick)
    wait(runs.backend, run, MINUTES)

    logs = [log_of(pod) for pod in step_pods(run, "work-on-search")]
    first, second = map(trials_of, logs)
    assert first and second and not first & second
    assert TRIALS <= len(first | second) < TRIALS + WORKERS  # both may begin the last one
    assert all("the budget is spent" in log and PASSWORD not in log for log in logs)

    assert {"best.yaml", "search.html", "report.html", "outcome.json"} <= runs.written(NAME)
    assert json.loads(read_bytes(f"{runs.prefix}/{NAME}/outcome.json"))["state"] == "SUCCEEDED"
    best = tmp_path / "best.yaml"
    best.write_bytes(read_bytes(f"{runs.prefix}/{NAME}/best.yaml"))
    bundle = json.loads(read_bytes(f"{runs.prefix}/{NAME}/bundle/bundle.json"))
    made_with = bundle["provenance"]["settings"]["training"]
    assert made_with == load_settings(best).training.model_dump(mode="json")
