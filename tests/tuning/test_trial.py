"""One trial: it is pruned, refused for its cost, or trained."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.pruners import SuccessiveHalvingPruner

from phytoflow.data.shards.dataset import Dataset
from phytoflow.tracking.mlflow_client import open_store
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tuning import trial as trial_module
from phytoflow.tuning.plan import CostLimits, Plan
from phytoflow.tuning.trial import ParentRun, Trials
from tests.support.small_training import Notes


def report(study: optuna.Study, losses: list[float]) -> int:
    """Reports validation losses as a training does; returns how many were reported."""
    notes, trial = Notes(), study.ask()
    tracker = trial_module._Pruning(notes, trial)  # type: ignore[arg-type]
    try:
        for epoch, loss in enumerate(losses, start=1):
            tracker.log_metrics({"final fit/validation/loss": loss}, step=epoch)
            tracker.log_metrics({"fold 1 of 2/validation/loss": 99.0}, step=epoch)
        study.tell(trial, losses[-1])
    except optuna.TrialPruned:
        study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    return sum("final fit/validation/loss" in metrics for _, metrics in notes.metrics)


def test_a_trial_whose_losses_are_among_the_worst_is_ended_early() -> None:
    study = optuna.create_study(pruner=SuccessiveHalvingPruner(min_resource=1, reduction_factor=2))
    for number in range(4):
        assert report(study, [0.5 - 0.1 * number - 0.01 * epoch for epoch in range(4)]) == 4
    assert report(study, [0.9, 0.8, 0.7, 0.6]) < 4
    assert report(study, [0.05, 0.04, 0.03, 0.02]) == 4


def test_a_network_that_costs_too_much_is_not_trained(
    plan: Plan, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(trial_module, "train")
    costly = replace(plan, limits=CostLimits(megabytes=1))
    trials = Trials(dataset, costly, costly.overrides, tmp_path, ParentRun("parent", tmp_path))
    study = optuna.create_study()
    trial = study.ask()
    with pytest.raises(optuna.TrialPruned):
        trials.run(trial)
    assert trial.user_attrs["excess"][1] > 0
    measured = [value for name, value in study.user_attrs.items() if name.startswith("cost of")]
    assert measured[0]["megabytes"] == trial.user_attrs["megabytes"] > 1


def test_a_trial_is_a_run_below_that_of_the_search(
    plan: Plan, dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(TrackingSettings(), tmp_path)
    experiment = store.experiment_id("phytoflow")
    parent = store.client.create_run(experiment).info.run_id
    values: list[Any] = []

    def prune(*arguments: Any, **_: Any) -> Any:
        values.append(arguments[2])
        raise optuna.TrialPruned

    monkeypatch.setattr(trial_module, "train", prune)
    with pytest.raises(optuna.TrialPruned):
        Trials(dataset, plan, plan.overrides, tmp_path, ParentRun(parent, tmp_path)).run(
            optuna.create_study().ask()
        )
    (run,) = store.client.search_runs([experiment], f"tags.`mlflow.parentRunId` = '{parent}'")
    assert run.info.run_name == "trial 0" and run.info.status == "FINISHED"
    assert run.data.tags["phytoflow.pruned"] == "true"
    assert run.data.params["training.strategy"] == values[0].strategy
    assert run.data.metrics["cost/megabytes"] > 1
