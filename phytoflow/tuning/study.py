"""The study: trials in a database or a journal file, which a search that is killed goes on with."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.pruners import SuccessiveHalvingPruner
from optuna.samplers import TPESampler
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from phytoflow.errors import ConfigError
from phytoflow.tracking.links import without_secret
from phytoflow.tuning.best import EXCESS, START
from phytoflow.tuning.budget import WORKER, Budget
from phytoflow.tuning.plan import Plan
from phytoflow.tuning.space import starting_values
from phytoflow.tuning.storage import one_at_a_time, open_one_at_a_time, open_storage

STUDY_FILE = "study.db"
_ORIGIN = "origin"  # attribute of the study: what it searches
_RANDOM_TRIALS = 5  # before the sampler learns from them


@dataclass(frozen=True)
class StudyPlace:
    """Where a study is, and who works on it.

    Attributes:
        storage: SQLAlchemy's address of a database, or ``journal://`` and a file.
        name: Name of the study there.
        worker: Name of this worker; no two that run at the same time have the same one.
    """

    storage: str
    name: str = "search"
    worker: str = ""

    @classmethod
    def in_folder(cls, folder: Path) -> StudyPlace:
        """A SQLite file in the search's folder, for one worker."""
        return cls(f"sqlite:///{(folder / STUDY_FILE).resolve()}")


def create_study(place: StudyPlace, plan: Plan, origin: str) -> optuna.Study:
    """Creates the study with the starting settings as its first trial, or opens it.

    Raises:
        ConfigError: There is a study of another search.
    """
    # Workers that begin at the same time would create tables and the first trial twice.
    with open_one_at_a_time(place.storage) as storage:
        study = optuna.create_study(
            storage=storage,
            study_name=place.name,
            directions=[StudyDirection.MINIMIZE] * (3 if plan.multi_objective else 1),
            load_if_exists=True,
        )
        before = study.user_attrs.get(_ORIGIN)
        if before not in (None, origin):
            where = without_secret(place.storage)
            what = f"{where} holds a search with other photos, settings, ranges or limits"
            raise ConfigError(what, remedy="give another --output, or the settings of that search")
        study.set_user_attr(_ORIGIN, origin)
        if not study.trials:
            start = starting_values(plan.space, plan.settings)
            study.enqueue_trial(start, user_attrs={START: True}, skip_if_exists=True)
    return study


def join_study(place: StudyPlace, plan: Plan) -> optuna.Study:
    """Opens a study to work on it.

    Raises:
        ConfigError: There is no such study.
    """
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        study = optuna.load_study(study_name=place.name, storage=open_storage(place.storage))
    except KeyError as error:
        raise ConfigError(f"there is no study {place.name}", remedy="create it first") from error
    study.pruner = SuccessiveHalvingPruner()  # ASHA (Li 2020)
    study.sampler = _create_sampler(plan, len(study.trials), place.worker)
    return study


def begin_trial(
    study: optuna.Study, place: StudyPlace, budget: Budget, reserve: float = 0.0
) -> optuna.Trial | None:
    """Begins the trial that this worker was training when it was killed, with the same values, or a new one.

    Args:
        study: The study, which the worker has joined.
        place: Where it is, and who works on it.
        budget: What the search may spend.
        reserve: Seconds that the final comparison will take.

    Returns:
        The trial; None if the budget is spent.

    Raises:
        ConfigError: The study cannot be opened.
    """
    # Workers that look at the same time would begin too many trials, or take the one that another repeats.
    with one_at_a_time(place.storage):
        _repeat_killed(study, place.worker)
        if budget.is_spent(study.trials, place.worker, reserve):
            return None
        trial = study.ask()
        trial.set_user_attr(WORKER, place.worker)
    return trial


def _repeat_killed(study: optuna.Study, worker: str) -> None:
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.user_attrs.get(WORKER, "") == worker:
            kept = {START: True} if trial.user_attrs.get(START) else {}
            study.enqueue_trial(trial.params, user_attrs=kept | {"repeats": trial.number})
            study.tell(trial.number, state=TrialState.FAIL)


def _create_sampler(plan: Plan, trials: int, worker: str) -> TPESampler:
    # Another seed after each trial and for each worker, which would draw the same values otherwise.
    seed = plan.settings.seed + trials + sum(worker.encode()) * 1000
    limited = plan.limits.milliseconds or plan.limits.megabytes
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        return TPESampler(
            seed=seed,
            multivariate=True,
            n_startup_trials=_RANDOM_TRIALS,
            warn_independent_sampling=False,
            constraints_func=_excess if limited else None,
        )


def _excess(trial: FrozenTrial) -> tuple[float, ...]:
    return tuple(trial.user_attrs.get(EXCESS, (0.0, 0.0)))
