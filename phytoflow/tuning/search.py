"""The search: trials until the budget is spent, and then its conclusion."""

from __future__ import annotations

import logging
from pathlib import Path

import optuna
from optuna.trial import TrialState

from phytoflow.data.shards.dataset import Dataset
from phytoflow.tracking.tracker import Tracker
from phytoflow.tuning.best import choose_best, complete_trials, find_start, is_within_limits, loss_of
from phytoflow.tuning.conclude import Result, conclude, reserved_seconds
from phytoflow.tuning.limits import check_limits
from phytoflow.tuning.plan import Plan
from phytoflow.tuning.sample import overrides_for_sample, write_sample
from phytoflow.tuning.study import StudyPlace, begin_trial, create_study, join_study
from phytoflow.tuning.trial import ParentRun, Trials

_SAMPLE = "sample"
_LOG = logging.getLogger(__name__)


def search(dataset: Dataset, plan: Plan, folder: Path, place: StudyPlace | None = None) -> Result:
    """Searches for better settings, or goes on with a search that was killed.

    Args:
        dataset: The photos. Trials are compared on photos held out of training and validation; test photos
            are seen once, by the best trial and by the starting settings.
        plan: The search.
        folder: The search's folder; of several workers, each has its own.
        place: A study that several workers share; None: one in the folder.

    Raises:
        ConfigError: The folder holds another search, or no network is within the limits of cost.
        StorageError: The folder cannot be written.
    """
    place = place or StudyPlace.in_folder(folder)
    with open_search(dataset, plan, folder, place) as tracker:
        parent = ParentRun(tracker.run_id, folder)
        work(dataset, plan, folder, place, parent)
        return conclude_search(dataset, plan, folder, place, parent, tracker)


def open_search(dataset: Dataset, plan: Plan, output: str | Path, place: StudyPlace) -> Tracker:
    """Creates the study and the search's run in MLflow, or opens them.

    Args:
        dataset: The photos.
        plan: The search.
        output: Folder of MLflow's files if no server is named.
        place: Where the study is.

    Raises:
        ConfigError: There is a study of another search, or no network is within the limits of cost.
    """
    check_limits(plan, len(dataset.classes))
    origin = plan.origin(dataset)
    create_study(place, plan, origin)
    return Tracker.open(
        plan.settings.tracking,
        output,
        key=f"search {origin} {place.worker}".rstrip(),
        name=f"search of {len(plan.space)} settings",
        finished=True,
    )


def work(dataset: Dataset, plan: Plan, folder: Path, place: StudyPlace, parent: ParentRun) -> None:
    """Runs trials of a study until the budget is spent; several workers may do so at once.

    Args:
        dataset: The photos.
        plan: The search, the same for each worker.
        folder: The worker's folder; killed, a worker that is given the same one loses the running trial only.
        place: Where the study is.
        parent: The search's run in MLflow.
    """
    sample = write_sample(dataset, plan.photos, folder / _SAMPLE)
    study = join_study(place, plan)
    overrides = overrides_for_sample(plan.overrides, dataset)
    trials = Trials(sample, plan, overrides, folder, parent)
    while trial := begin_trial(study, place, plan.budget, reserved_seconds(study, trials, dataset)):
        _run_trial(study, trials, trial)


def conclude_search(
    dataset: Dataset, plan: Plan, folder: Path, place: StudyPlace, parent: ParentRun, tracker: Tracker
) -> Result:
    """Compares the best trial with the starting settings and writes the search's files.

    Args:
        dataset: The photos.
        plan: The search.
        folder: Where the files are written; models of trials that are not here are trained again.
        place: Where the study is.
        parent: The search's run in MLflow.
        tracker: The same run, opened.
    """
    sample = write_sample(dataset, plan.photos, folder / _SAMPLE)
    study = join_study(place, plan)
    trials = Trials(sample, plan, overrides_for_sample(plan.overrides, dataset), folder, parent)
    return conclude(study, trials, dataset, tracker)


def _run_trial(study: optuna.Study, trials: Trials, trial: optuna.Trial) -> None:
    _LOG.info("trial %d", trial.number)
    try:
        values = trials.run(trial)
    except optuna.TrialPruned:
        study.tell(trial, state=TrialState.PRUNED)
        _LOG.info("trial %d was ended early", trial.number)
        return
    told = study.tell(trial, values)
    _LOG.info("trial %d: loss %.4f, macro-F1 %.4f", trial.number, loss_of(told), told.user_attrs["macro_f1"])
    complete = complete_trials(study.trials)
    kept = [find_start(complete)] + [choose_best(complete)] * any(map(is_within_limits, complete))
    trials.keep({trial.number for trial in kept if trial})
