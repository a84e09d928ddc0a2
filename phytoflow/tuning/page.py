"""The page of a search: its best settings, how much each setting matters, and every trial."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial, TrialState

from phytoflow.html.page import render_page
from phytoflow.storage.atomic import atomic_file
from phytoflow.tuning.best import complete_trials, loss_of
from phytoflow.tuning.budget import seconds_of
from phytoflow.tuning.charts import importance, non_dominated, parallel_coordinates, pareto_front
from phytoflow.tuning.judge import Judgement
from phytoflow.tuning.plan import Plan

LOOKS = "looks"
"""Attribute of a study: how often trials were compared on the test photos."""
_TEMPLATE = Path(__file__).with_name("page.html")


@dataclass(frozen=True)
class Search:
    """A search that has ended.

    Attributes:
        study: All trials.
        best: The trial whose settings are recommended.
        start: The trial of the starting settings.
        plan: What was to be done.
        photos: Training and validation photos of the trials.
    """

    study: optuna.Study
    best: FrozenTrial
    start: FrozenTrial
    plan: Plan
    photos: int


def write_page(search: Search, judgement: Judgement | None, settings: str, output: Path) -> None:
    """Writes the page.

    Args:
        search: The search.
        judgement: The trial with the lowest loss and the starting settings on the test photos, if they differ
            and there are test photos.
        settings: The best settings as YAML.
        output: The file to write.

    Raises:
        StorageError: It cannot be written.
    """
    trials = sorted(complete_trials(search.study.trials), key=loss_of)
    text = render_page(
        _TEMPLATE,
        search=search,
        judgement=judgement,
        settings=settings,
        trials=trials,
        ended_early=len(search.study.get_trials(states=(TrialState.PRUNED,))),
        keys=sorted(search.best.params),
        looks=search.study.user_attrs.get(LOOKS, 1),
        front={trial.number for trial in non_dominated(trials)},
        importance=importance(search.study),
        coordinates=parallel_coordinates(trials, search.best),
        pareto=pareto_front(trials, search.best),
        loss_of=loss_of,
        seconds_of=seconds_of,
    )
    with atomic_file(output) as aside:
        aside.write_text(text, encoding="utf-8")
