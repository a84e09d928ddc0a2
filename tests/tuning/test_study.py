"""The study in a file: created once, and joined again after a kill."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState

from phytoflow.errors import ConfigError
from phytoflow.tuning.budget import WORKER
from phytoflow.tuning.plan import CostLimits, Plan
from phytoflow.tuning.space import suggest
from phytoflow.tuning.study import StudyPlace, create_study, join_study


@pytest.fixture(params=["sqlite", "journal"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StudyPlace:
    if request.param == "sqlite":
        return StudyPlace.in_folder(tmp_path)
    return StudyPlace(f"journal://{tmp_path / 'study.log'}", worker="0")


def test_the_first_trial_has_the_starting_settings_and_later_ones_differ(
    place: StudyPlace, plan: Plan
) -> None:
    create_study(place, plan, "origin")
    create_study(place, plan, "origin")  # enqueues nothing twice
    study = join_study(place, plan)
    drawn = [suggest(study.ask(), plan.space) for _ in range(3)]
    assert drawn[0]["training.strategy"] == plan.settings.training.strategy
    rates = [values["training.finetune_learning_rate"] for values in drawn]
    assert rates[0] == plan.settings.training.finetune_learning_rate and len(set(rates)) == 3


def test_a_killed_trial_is_tried_again_with_its_values_and_those_of_others_are_left_alone(
    place: StudyPlace, plan: Plan
) -> None:
    other = replace(place, worker="other")
    create_study(place, plan, "origin")
    study = join_study(place, plan)
    killed, foreign = study.ask(), join_study(other, plan).ask()
    killed.set_user_attr(WORKER, place.worker)
    foreign.set_user_attr(WORKER, "other")
    values = suggest(killed, plan.space)
    suggest(foreign, plan.space)

    study = join_study(place, plan)
    again = study.ask()
    assert suggest(again, plan.space) == values
    assert again.user_attrs["repeats"] == killed.number and again.user_attrs["start"]
    states = [trial.state for trial in study.trials]
    assert states == [TrialState.FAIL, TrialState.RUNNING, TrialState.RUNNING]


def test_two_workers_draw_other_values(place: StudyPlace, plan: Plan) -> None:
    create_study(place, plan, "origin")
    first, second = (join_study(replace(place, worker=name), plan) for name in "12")
    suggest(first.ask(), plan.space)
    assert suggest(first.ask(), plan.space) != suggest(second.ask(), plan.space)


def test_the_study_of_another_search_and_one_that_is_not_there_are_refused(
    place: StudyPlace, plan: Plan
) -> None:
    with pytest.raises(ConfigError, match="no study"):
        join_study(place, plan)
    create_study(place, plan, "origin")
    with pytest.raises(ConfigError, match="other photos, settings, ranges"):
        create_study(place, plan, "other")


def test_networks_beyond_the_limits_count_as_worse_for_the_sampler(place: StudyPlace, plan: Plan) -> None:
    limited = replace(plan, limits=CostLimits(milliseconds=1))
    create_study(place, limited, "origin")
    study = join_study(place, limited)
    trial = study.ask()
    suggest(trial, plan.space)
    trial.set_user_attr("excess", (0.5, 0.0))
    study.tell(trial, 1.0)
    attributes = study.trials[0].system_attrs
    assert [0.5, 0.0] in [list(value) for value in attributes.values() if isinstance(value, list | tuple)]


def test_three_objectives_are_minimized_if_that_is_asked_for(place: StudyPlace, plan: Plan) -> None:
    study = create_study(place, replace(plan, multi_objective=True), "origin")
    assert study.directions == [optuna.study.StudyDirection.MINIMIZE] * 3


@pytest.mark.parametrize(
    "address", ["nonsense", "postgresql+absent://me:secret@host/db", "journal:///absent/study.log"]
)
def test_a_study_that_cannot_be_opened_is_named_without_its_password(plan: Plan, address: str) -> None:
    with pytest.raises(ConfigError, match="cannot open the study at") as refusal:
        create_study(StudyPlace(address), plan, "origin")
    assert "secret" not in refusal.value.message and "driver" in refusal.value.remedy
