"""The end of a search: the best trial is compared with the starting settings, and the files are written."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial

from phytoflow.config.loader import resolve
from phytoflow.data.shards.dataset import Dataset
from phytoflow.storage.atomic import atomic_file
from phytoflow.tracking.tracker import Tracker
from phytoflow.training.train import train
from phytoflow.tuning.best import MACRO_F1, choose_best, complete_trials, find_start, loss_of
from phytoflow.tuning.budget import seconds_of
from phytoflow.tuning.judge import Judgement, judge
from phytoflow.tuning.page import LOOKS, Search, write_page
from phytoflow.tuning.space import with_values
from phytoflow.tuning.trial import Trials

BEST_FILE, PAGE_FILE = "best.yaml", "search.html"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Result:
    """What a search ends with.

    Attributes:
        best: The trial whose settings are in ``best.yaml``.
        start: The trial of the starting settings.
        trials: Number of trials that were trained to the end.
        judgement: The trial with the lowest loss and the starting settings on the test photos; None without
            test photos, or if both are one.
    """

    best: FrozenTrial
    start: FrozenTrial
    trials: int
    judgement: Judgement | None

    def describe(self) -> str:
        """One sentence, and one about the comparison if there was one."""
        same = " (the starting settings)" if self.best.number == self.start.number else ""
        line = f"{self.trials} trials, best: trial {self.best.number}{same}"
        return f"{line}\n{self.judgement.describe()}" if self.judgement else line


def comparison_seconds(trials: Sequence[FrozenTrial], dataset: Dataset, sample: Dataset) -> float:
    """About how long two trainings on all photos take; 0 if the trials' own models can be compared."""
    start, photos = find_start(trials), _photos(sample)
    if start is None or photos == _photos(dataset):
        return 0.0
    return 2 * seconds_of(start) * _photos(dataset) / photos


def reserved_seconds(study: optuna.Study, trials: Trials, dataset: Dataset) -> float:
    """Part of the budget that is kept free for two trainings on all photos.

    0 if they would take more than half of it: the models of the trials are compared then.
    """
    needed = comparison_seconds(study.trials, dataset, trials.sample)
    return 0.0 if needed > trials.plan.budget.seconds / 2 > 0 else needed


def conclude(study: optuna.Study, trials: Trials, dataset: Dataset, tracker: Tracker) -> Result:
    """Compares the best trial with the starting settings on test photos; writes ``best.yaml`` and the page.

    Both are trained on all photos, unless the trials were, or the budget has no room for it.

    Args:
        study: All trials.
        trials: What they shared.
        dataset: All photos.
        tracker: The search's run.

    Raises:
        ConfigError: No trial is within the limits of cost, or none is complete.
    """
    best, start = choose_best(study.trials), find_start(study.trials) or choose_best(study.trials)
    judgement = None
    if best.number != start.number:
        models = _train_both(study, trials, dataset, start, best)
        settings = trials.plan.settings
        judgement = judge(dataset, *models, settings.evaluation, settings.seed)
        study.set_user_attr(LOOKS, study.user_attrs.get(LOOKS, 0) + 1)
    kept = best
    if judgement and judgement.paired.second_is_worse:
        _LOG.warning("the best trial is worse on the test photos: the starting settings are kept")
        kept = start
    result = Result(kept, start, len(complete_trials(study.trials)), judgement)
    _write(result, study, trials)
    tracker.log_metrics({"best/loss": loss_of(kept), "best/macro_f1": kept.user_attrs[MACRO_F1]})
    for file in (BEST_FILE, PAGE_FILE):
        tracker.log_artifact(trials.folder / file)
    trials.clear()
    return result


def _train_both(
    study: optuna.Study, trials: Trials, dataset: Dataset, start: FrozenTrial, best: FrozenTrial
) -> tuple[Path, Path]:
    """The folders of both models."""
    own = (trials.model(start.number), trials.model(best.number))
    if all(model.exists() for model in own) and not reserved_seconds(study, trials, dataset):
        return own
    return (
        _train(trials, dataset, start, "starting settings"),
        _train(trials, dataset, best, f"settings of trial {best.number}"),
    )


def _train(trials: Trials, dataset: Dataset, trial: FrozenTrial, name: str) -> Path:
    """Trains with a trial's settings on all photos; returns the model's folder."""
    settings = resolve(with_values(trials.plan.overrides, trial.params))
    output, checkpoints = trials.folder / "final" / str(trial.number), trials.folder / "final-checkpoints"
    _LOG.info("training on all photos with the %s", name)
    with trials.parent.open(settings, f"{name}, all photos") as tracker:
        model, training, seed = settings.model, settings.training, settings.seed
        features = trials.folder / "final-features"
        train(dataset, model, training, seed, output, str(checkpoints), tracker, shared_features=features)
    return output


def _write(result: Result, study: optuna.Study, trials: Trials) -> None:
    best = with_values(trials.plan.overrides, result.best.params)
    resolve(best)
    with atomic_file(trials.folder / BEST_FILE) as aside:
        aside.write_text(best.to_yaml(), encoding="utf-8")
    search = Search(study, result.best, result.start, trials.plan, _photos(trials.sample))
    write_page(search, result.judgement, best.to_yaml(), trials.folder / PAGE_FILE)
    for name in ("final-checkpoints", "final-features"):
        shutil.rmtree(trials.folder / name, ignore_errors=True)


def _photos(dataset: Dataset) -> int:
    return dataset.count("train") + dataset.count("validation")
