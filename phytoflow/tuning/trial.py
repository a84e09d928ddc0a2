"""One trial: a training whose features and checkpoints lie in the search's folder."""

from __future__ import annotations

import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import optuna

from phytoflow.config.loader import resolve
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.config.settings import RunSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.inference.cost import ModelCost, measure_cost
from phytoflow.tracking.tracker import Tracker
from phytoflow.training.summary import TrainingSummary
from phytoflow.training.train import train
from phytoflow.tuning.best import EXCESS, MACRO_F1, START
from phytoflow.tuning.budget import CPU_SECONDS
from phytoflow.tuning.plan import Plan
from phytoflow.tuning.space import suggest, with_values

_CHECKPOINTS, _FEATURES, _MODELS = "checkpoints", "features", "models"
_VALIDATION_LOSS = "final fit/validation/loss"  # as a training names it


@dataclass(frozen=True)
class ParentRun:
    """The search's run in MLflow, which those of its trainings are shown below.

    Attributes:
        run_id: MLflow's id.
        output: Folder of MLflow's files if no server is named.
    """

    run_id: str
    output: str | Path

    def open(self, settings: RunSettings, name: str) -> Tracker:
        """Opens the run of one training."""
        return Tracker.open(
            settings.tracking,
            self.output,
            key=f"{self.run_id} {name}",
            name=name,
            model=settings.model.backbone,
            parent=self.run_id,
        )


@dataclass(frozen=True)
class Trials:
    """What all trials of a search share.

    Attributes:
        sample: The photos.
        plan: The search.
        overrides: What the user set, for trainings on the sample.
        folder: The search's folder.
        parent: The search's run.
    """

    sample: Dataset
    plan: Plan
    overrides: SettingsOverrides
    folder: Path
    parent: ParentRun

    def run(self, trial: optuna.Trial) -> list[float]:
        """Trains with drawn values; returns the loss on held-out photos, and the cost if that is minimized.

        Raises:
            TrialPruned: The network costs more than allowed, or the validation loss after some epochs is
                among the worst so far.
        """
        values = suggest(trial, self.plan.space)
        settings = resolve(with_values(self.overrides, values))
        cost = self._measure(settings, trial)
        number = trial.user_attrs.get("repeats", trial.number)
        with self.parent.open(settings, f"trial {number}") as tracker:
            tracker.log_params({"seed": settings.seed} | values)
            tracker.log_metrics({f"cost/{name}": value for name, value in asdict(cost).items()})
            try:
                summary = self._train(settings, trial, tracker)
            except optuna.TrialPruned:
                tracker.set_tags({"phytoflow.pruned": "true"})
                summary = None
        if summary is None:
            raise optuna.TrialPruned
        trial.set_user_attr(MACRO_F1, summary.validation["macro_f1"])
        trial.set_user_attr("stage", summary.stage_chosen)
        trial.set_user_attr(CPU_SECONDS, summary.cpu_seconds)
        costs = [cost.milliseconds, cost.megabytes] if self.plan.multi_objective else []
        return [summary.validation["loss"], *costs]

    def model(self, number: int) -> Path:
        """Folder of a trial's model."""
        return self.folder / _MODELS / str(number)

    def keep(self, numbers: set[int]) -> None:
        """Removes the models of all other trials, and the checkpoints of finished ones."""
        for model in (self.folder / _MODELS).iterdir():
            if model.name.isdigit() and int(model.name) not in numbers:
                shutil.rmtree(model)
        shutil.rmtree(self.folder / _CHECKPOINTS, ignore_errors=True)

    def clear(self) -> None:
        """Removes the cached features, which only further trials would need."""
        shutil.rmtree(self.folder / _FEATURES, ignore_errors=True)

    def _measure(self, settings: RunSettings, trial: optuna.Trial) -> ModelCost:
        """Measures a network once a study, and refuses one that costs too much before it is trained."""
        key = f"cost of {settings.model.model_dump_json()}"
        measured = trial.study.user_attrs.get(key)
        cost = ModelCost(**measured) if measured else measure_cost(settings.model, len(self.sample.classes))
        if not measured:
            trial.study.set_user_attr(key, asdict(cost))
        for name, value in asdict(cost).items():
            trial.set_user_attr(name, value)
        excess = self.plan.limits.excess(cost)
        trial.set_user_attr(EXCESS, excess)
        if max(excess) > 0 and not trial.user_attrs.get(START):
            raise optuna.TrialPruned
        return cost

    def _train(self, settings: RunSettings, trial: optuna.Trial, tracker: Tracker) -> TrainingSummary:
        reporter: Any = tracker if self.plan.multi_objective else _Pruning(tracker, trial)
        return train(
            self.sample,
            settings.model,
            settings.training,
            settings.seed,
            self.model(trial.number),
            str(self.folder / _CHECKPOINTS),
            reporter,
            shared_features=self.folder / _FEATURES,
        )


class _Pruning:
    """A tracker that reports the final fit's validation losses to the study as well."""

    def __init__(self, tracker: Tracker, trial: optuna.Trial) -> None:
        self.run_id, self._tracker, self._trial = tracker.run_id, tracker, trial

    def log_metrics(self, metrics: Any, *, step: int = 0) -> None:
        self._tracker.log_metrics(metrics, step=step)
        if (loss := metrics.get(_VALIDATION_LOSS)) is not None:
            self._trial.report(loss, step)
            if self._trial.should_prune():
                raise optuna.TrialPruned

    def log_params(self, params: Any) -> None:
        self._tracker.log_params(params)

    def log_artifact(self, path: Path, folder: str = "") -> None:
        self._tracker.log_artifact(path, folder)

    def log_figure(self, figure: Any, name: str) -> None:
        self._tracker.log_figure(figure, name)
