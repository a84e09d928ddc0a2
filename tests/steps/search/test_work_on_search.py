"""A worker that is started again repeats the trial that it was running, and no other."""

from __future__ import annotations

from pathlib import Path

import optuna
from optuna.trial import TrialState

from phytoflow.steps.search.open_search import open_search
from phytoflow.steps.search.place import study_place
from phytoflow.steps.search.settings import SearchStepSettings
from phytoflow.steps.search.work_on_search import work_on_search
from phytoflow.tracking.mlflow_client import open_store
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tuning.budget import WORKER
from phytoflow.tuning.space import suggest
from phytoflow.tuning.storage import open_storage


def test_a_retried_worker_repeats_its_trial(
    photos: Path, settings: SearchStepSettings, tmp_path: Path
) -> None:
    search = open_search(photos, settings, str(tmp_path))
    place = study_place(str(tmp_path))
    study = optuna.load_study(study_name=place.name, storage=open_storage(place.storage))
    killed = study.ask()
    killed.set_user_attr(WORKER, "worker-1")
    suggest(killed, settings.plan.space)

    # Another worker leaves the trial alone: it counts as running, and the budget is one trial.
    assert work_on_search(photos, search, 0, str(tmp_path)) == "worker-0"
    assert [trial.state for trial in study.trials] == [TrialState.RUNNING]
    assert work_on_search(photos, search, 1, str(tmp_path)) == "worker-1"

    first, second = study.trials
    assert (first.state, second.state) == (TrialState.FAIL, TrialState.COMPLETE)
    assert second.params == first.params and second.user_attrs["start"]
    store = open_store(TrackingSettings(), tmp_path)
    nested = f"tags.`mlflow.parentRunId` = '{search.run_id}'"
    (run,) = store.client.search_runs([store.experiment_id("phytoflow")], nested)
    assert run.info.run_name == "trial 0" and run.info.status == "FINISHED"
