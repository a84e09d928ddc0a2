"""The study in a file: created once, and joined again after a kill."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from phytoflow.errors import ConfigError
from phytoflow.tuning.budget import Budget
from phytoflow.tuning.plan import CostLimits, Plan
from phytoflow.tuning.space import suggest
from phytoflow.tuning.study import StudyPlace, begin_trial, create_study, join_study


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
    other, budget = replace(place, worker="other"), Budget(trials=2)
    create_study(place, plan, "origin")
    killed, foreign = (begin_trial(join_study(one, plan), one, budget) for one in (place, other))
    assert killed and foreign
    values = suggest(killed, plan.space)
    suggest(foreign, plan.space)

    again = begin_trial(join_study(place, plan), place, budget)
    assert again and suggest(again, plan.space) == values
    assert again.user_attrs["repeats"] == killed.number and again.user_attrs["start"]
    states = [trial.state for trial in again.study.trials]
    assert states == [TrialState.FAIL, TrialState.RUNNING, TrialState.RUNNING]


def test_no_trial_begins_beyond_the_budget(place: StudyPlace, plan: Plan) -> None:
    other, budget = replace(place, worker="other"), Budget(trials=1)
    create_study(place, plan, "origin")
    mine, theirs = join_study(place, plan), join_study(other, plan)
    assert begin_trial(mine, place, budget)
    assert begin_trial(theirs, other, budget) is None
    assert len(theirs.trials) == 1


def test_a_worker_waits_until_the_other_has_begun_the_trial_that_it_repeats(
    tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = StudyPlace(f"journal://{tmp_path / 'study.log'}", worker="0")
    other, budget = replace(place, worker="other"), Budget(trials=1)
    create_study(place, plan, "origin")
    killed = begin_trial(join_study(place, plan), place, budget)
    foreign, taken = join_study(other, plan), list[optuna.Trial | None]()
    thread = threading.Thread(target=lambda: taken.append(begin_trial(foreign, other, budget)))
    tell = optuna.Study.tell

    def tell_slowly(study: optuna.Study, *arguments: Any, **options: Any) -> FrozenTrial:
        told = tell(study, *arguments, **options)
        thread.start()
        thread.join(0.5)  # the failed trial does not count any more, and its repetition does not yet
        return told

    monkeypatch.setattr(optuna.Study, "tell", tell_slowly)
    again = begin_trial(join_study(place, plan), place, budget)
    thread.join(10)
    assert killed and again and again.user_attrs["repeats"] == killed.number
    assert taken == [None]


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
