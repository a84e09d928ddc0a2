"""Four workers of a search as pods, on one study in a PostgreSQL of the cluster; one pod is killed."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from phytoflow.config.overrides import SettingsOverrides
from phytoflow.deploy.trainjob.environment import STUDY_STORAGE
from phytoflow.steps.search.conclude_search import conclude_search
from phytoflow.steps.search.open_search import open_search
from phytoflow.steps.search.settings import OpenedSearch, SearchStepSettings
from phytoflow.storage.uri import read_bytes
from phytoflow.tuning.settings import SearchSettings
from phytoflow.tuning.storage import open_storage
from tests.e2e.names import own_name
from tests.e2e.search.checkout import IMAGE, mount_checkout, mount_folder
from tests.e2e.search.database import PASSWORD, address_at, study_database
from tests.e2e.test_trainjob import INDEX, kubectl
from tests.support.small_training import small_dataset
from tests.support.tuning.trials import SMALL

WORKERS, TRIALS = 4, 6
_WORK = """
import os, sys, time
from pathlib import Path
import optuna
from phytoflow.steps.context import step
from phytoflow.steps.search.settings import OpenedSearch
from phytoflow.steps.search.work_on_search import work_on_search
from phytoflow.tuning import trial
from phytoflow.tuning.storage import open_storage
dataset, search, output = sys.argv[1:]
storage = open_storage(os.environ["PHYTOFLOW_STUDY_STORAGE"])
begun = {t.user_attrs.get("worker") for t in optuna.load_study(study_name=output, storage=storage).trials}
if os.environ["JOB_COMPLETION_INDEX"] == "2" and "worker-2" not in begun:
    trial.train = lambda *_, **__: time.sleep(3600)  # its first trial is running when it is killed
with step("work_on_search"):
    opened = OpenedSearch.from_json(search)
    work_on_search(Path(dataset), opened, int(os.environ["JOB_COMPLETION_INDEX"]), output)
"""
pytestmark = pytest.mark.timeout(1200)


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """A namespace with a PostgreSQL, and a Secret with its address as the pipeline's steps read it."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("no cluster: KUBECONFIG is not set")
    name = own_name("search")
    with study_database(name):
        yield name


@pytest.fixture
def address(namespace: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The study's address from this machine, also in the environment."""
    query = "jsonpath={.items[0].status.podIP}"
    pod = kubectl("-n", namespace, "get", "pods", "-l", "app.kubernetes.io/name=postgresql", "-o", query)
    value = address_at(pod)
    monkeypatch.setenv(STUDY_STORAGE, value)
    return value


def job_of_workers(dataset: Path, search: OpenedSearch, output: str) -> dict[str, Any]:
    """A Job that starts a worker again if its pod ends early, as the pipeline does."""
    pod: dict[str, Any] = {
        "restartPolicy": "Never",
        "containers": [
            {
                "name": "worker",
                "image": IMAGE,
                "resources": {"requests": {"cpu": "50m", "memory": "512Mi"}},
                "command": ["python", "-c", _WORK, str(dataset), search.to_json(), output],
                "env": [
                    {
                        "name": STUDY_STORAGE,
                        "valueFrom": {"secretKeyRef": {"name": "phytoflow-s3", "key": STUDY_STORAGE}},
                    }
                ],
            }
        ],
    }
    mount_checkout(pod)
    mount_folder(pod, str(dataset))
    spec = {"completionMode": "Indexed", "completions": WORKERS, "parallelism": WORKERS, "backoffLimit": 4}
    spec |= {"template": {"spec": pod}}  # type: ignore[dict-item]
    return {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "workers"}, "spec": spec}


def trial_of(storage: BaseStorage, output: str, worker: str, values: int, seconds: float) -> FrozenTrial:
    """Waits for a trial that a worker is training: all its values are drawn."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        for trial in optuna.load_study(study_name=output, storage=storage).trials:
            own = trial.user_attrs.get("worker") == worker and trial.state == TrialState.RUNNING
            if own and len(trial.params) == values:
                return trial
        time.sleep(0.2)
    raise AssertionError(f"{worker} began no trial within {seconds:.0f} s")


def test_four_pods_share_a_study_and_a_killed_one_repeats_its_trial(
    namespace: str, address: str, bucket: str, tmp_path: Path
) -> None:
    small_dataset(tmp_path, photos=30)
    dataset, output = tmp_path / "dataset", f"s3://{bucket}/search"
    # Each machine has a file of its own there: the test has no MLflow server.
    tracking = f"tracking.uri=sqlite:////tmp/{namespace}.db"
    overrides = dict(SettingsOverrides.read(None, [*SMALL, tracking]).tree)
    settings = SearchStepSettings(overrides=overrides, search=SearchSettings(trials=TRIALS))
    search = open_search(dataset, settings, output)
    storage = open_storage(address)

    kubectl("-n", namespace, "apply", "-f", "-", given=json.dumps(job_of_workers(dataset, search, output)))
    killed = trial_of(storage, output, "worker-2", len(settings.plan.space), 400)
    pods = json.loads(kubectl("-n", namespace, "get", "pods", "-l", f"{INDEX}=2", "-o", "json"))["items"]
    first = pods[0]["metadata"]["name"]
    kubectl("-n", namespace, "delete", "pod", first, "--grace-period=0", "--force")
    kubectl("-n", namespace, "wait", "--for=condition=Complete", "job/workers", "--timeout=600s")

    trials = optuna.load_study(study_name=output, storage=storage).trials
    ended = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    assert len(ended) == TRIALS
    assert [t.number for t in trials if t.state == TrialState.FAIL] == [killed.number]
    assert len(trials) == len(ended) + 1
    (repeated,) = [trial for trial in ended if trial.user_attrs.get("repeats") == killed.number]
    assert repeated.params == killed.params and repeated.user_attrs["worker"] == "worker-2"
    assert {trial.user_attrs["worker"] for trial in ended} == {f"worker-{n}" for n in range(WORKERS)}
    logs = kubectl("-n", namespace, "logs", "-l", "job-name=workers", "--tail=-1")
    assert "the budget is spent" in logs and PASSWORD not in logs

    best = conclude_search(dataset, search, output, tmp_path / "page.html")
    assert read_bytes(f"{output}/best.yaml").decode() == best
    assert (
        f"{len([t for t in ended if t.state == TrialState.COMPLETE])} finished trials"
        in (tmp_path / "page.html").read_text()
    )
