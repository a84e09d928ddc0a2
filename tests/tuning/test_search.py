"""A whole search: it is killed, goes on, and ends with settings that a run reads."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from phytoflow.config.loader import load_settings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.tracking.mlflow_client import open_store
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.training.features.cache import FeatureCache
from phytoflow.training.train import train
from phytoflow.tuning import trial as trial_module
from phytoflow.tuning.plan import Plan
from phytoflow.tuning.search import search
from phytoflow.tuning.study import STUDY_FILE


class KillError(BaseException):
    """Ends a search in a test as a kill would."""


def test_a_killed_search_goes_on_without_losing_a_finished_trial(
    dataset: Dataset, plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    computed: list[str] = []
    extract = FeatureCache._extract

    def count(self: FeatureCache, batches: Any) -> Any:
        computed.append(str(self.folder))
        return extract(self, batches)

    monkeypatch.setattr(FeatureCache, "_extract", count)
    trained = list[Any]()

    def train_once(*arguments: Any, **options: Any) -> Any:
        if trained:
            raise KillError
        trained.append(arguments)
        return train(*arguments, **options)

    monkeypatch.setattr(trial_module, "train", train_once)
    with pytest.raises(KillError):
        search(dataset, plan, tmp_path)
    monkeypatch.setattr(trial_module, "train", train)
    result = search(dataset, plan, tmp_path)

    study = optuna.load_study(study_name="search", storage=f"sqlite:///{tmp_path / STUDY_FILE}")
    states = [trial.state for trial in study.trials]
    assert states == [TrialState.COMPLETE, TrialState.FAIL, TrialState.COMPLETE, TrialState.COMPLETE]
    killed, repeated = study.trials[1:3]
    assert repeated.params == killed.params != study.trials[3].params
    assert study.trials[0].params["training.strategy"] == "partial"  # the starting settings
    assert result.trials == 3 and result.best.value <= result.start.value  # type: ignore[operator]
    assert len(computed) == 2  # training and validation photos, once for all trials
    assert trained[0][0].count("test") == 0 < dataset.count("test")

    best = load_settings(tmp_path / "best.yaml")
    assert best.training.strategy == result.best.params["training.strategy"]
    assert best.training.cached_views == 1  # what the user set
    page = (tmp_path / "search.html").read_text()
    assert result.best.params["training.strategy"] in page and "best.yaml" in page
    kept = {folder.name for folder in (tmp_path / "models").iterdir()}
    assert kept == {str(result.start.number), str(result.best.number)}

    store = open_store(TrackingSettings(), tmp_path)
    runs = store.client.search_runs([store.experiment_id("phytoflow")])
    parents = [run.data.tags.get("mlflow.parentRunId") for run in runs]
    assert len(runs) == 4 and parents.count(None) == 1
    assert {run.info.status for run in runs} == {"FINISHED"}
