"""The pipeline that searches, whole on KFP's local runner: killed among trials, it goes on to the bundle."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from phytoflow.bundle.bundle import Bundle
from phytoflow.config.loader import load_settings
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.deploy.trainjob.environment import STUDY_STORAGE
from phytoflow.steps.search.place import study_place
from phytoflow.tracking.mlflow_client import open_store
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tuning.storage import open_storage
from tests.slow.search.test_killed import SETTINGS, TIMEOUT
from tests.support.small_training import write_photos

ROOT = Path(__file__).resolve().parents[3]
TRIALS = 4
OVERRIDES = [
    *SETTINGS,
    "gate.min_accuracy=0.1",
    "gate.min_macro_f1=0.1",
    "gate.max_latency_ms=1000",
    "serving.publish=false",
]
_RUN = """
import json, sys
from kfp import local
from pipelines.compile_options import CompileOptions
from pipelines.search import build
root, parameters = sys.argv[1:]
local.init(local.SubprocessRunner(use_venv=False), pipeline_root=root, enable_caching=True)
build(CompileOptions(workers=2, retries=False))(**json.loads(parameters))
"""


def start(folder: Path, output: Path) -> subprocess.Popen[bytes]:
    overrides = SettingsOverrides.read(None, OVERRIDES).to_yaml()
    parameters = {"data": str(folder / "photos"), "output": str(output), "overrides": overrides}
    parameters["search"] = f"{{trials: {TRIALS}, photos: 30}}"
    command = [sys.executable, "-c", _RUN, str(folder / "steps"), json.dumps(parameters)]
    environment = {name: value for name, value in os.environ.items() if name != STUDY_STORAGE}
    environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            command, env=environment, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )


def trials_of(output: Path) -> list[FrozenTrial]:
    """The trials; none before the study is there."""
    place = study_place(str(output))
    try:
        return optuna.load_study(study_name=place.name, storage=open_storage(place.storage)).trials
    except KeyError:
        return []


def killed_in_a_trial(folder: Path, output: Path) -> list[FrozenTrial]:
    """Kills a run, and all that it started, in a trial after a finished one; returns the trials."""
    run, deadline = start(folder, output), time.monotonic() + TIMEOUT
    try:
        while not {TrialState.COMPLETE, TrialState.RUNNING} <= {t.state for t in trials_of(output)}:
            assert time.monotonic() < deadline and run.poll() is None, (folder / "log").read_text()
            time.sleep(0.2)
    finally:
        if run.poll() is None:
            os.killpg(run.pid, signal.SIGKILL)
            run.wait()
    return trials_of(output)


@pytest.mark.timeout(4 * TIMEOUT)
def test_a_killed_pipeline_loses_no_trial_and_trains_with_the_best_settings(tmp_path: Path) -> None:
    write_photos(tmp_path / "photos", 24)
    output = tmp_path / "out"
    before = killed_in_a_trial(tmp_path, output)
    assert start(tmp_path, output).wait(2 * TIMEOUT) == 0, (tmp_path / "log").read_text()

    trials = trials_of(output)
    assert TrialState.RUNNING not in {trial.state for trial in trials}
    ended = [trial for trial in trials if trial.state in (TrialState.COMPLETE, TrialState.PRUNED)]
    assert TRIALS <= len(ended) <= TRIALS + 1  # both workers may begin the last one
    assert {trial.user_attrs["worker"] for trial in ended} == {"worker-0", "worker-1"}
    repeated = {trial.user_attrs.get("repeats"): trial.params for trial in ended}
    for trial in before:
        if trial.state == TrialState.COMPLETE:
            assert trials[trial.number].values == trial.values
        elif trial.state == TrialState.RUNNING:
            assert trial.params.items() <= repeated[trial.number].items()  # those that were drawn

    assert json.loads((output / "outcome.json").read_text())["state"] == "SUCCEEDED"
    best = load_settings(output / "best.yaml")
    made_with = Bundle.load(output / "bundle").manifest.provenance.settings["training"]
    assert made_with == best.training.model_dump(mode="json")
    assert "best.yaml" in (output / "search.html").read_text()

    store = open_store(TrackingSettings(), output)
    runs = store.client.search_runs([store.experiment_id("phytoflow")])
    parents = [run.data.tags.get("mlflow.parentRunId") for run in runs]
    (search,) = {parent for parent in parents if parent}  # trials and conclusion are below one run
    assert store.client.get_run(search).info.status == "FINISHED"
    assert parents.count(search) >= len(ended)
