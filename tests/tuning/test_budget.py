from datetime import datetime, timedelta

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from phytoflow.tuning.budget import PRESETS, Budget, choose_budget

START = datetime(2026, 1, 1)


def lasting(
    seconds: float, state: TrialState = TrialState.COMPLETE, cpu: float = 0.0, worker: str = ""
) -> FrozenTrial:
    trial = create_trial(state=state, value=1.0 if state == TrialState.COMPLETE else None)
    trial.datetime_start, trial.datetime_complete = START, START + timedelta(seconds=seconds)
    trial.user_attrs = {"cpu_seconds": cpu, "worker": worker}
    return trial


@pytest.mark.parametrize(
    ("budget", "trials", "spent"),
    [
        (Budget(trials=2), [lasting(9)], False),
        (Budget(trials=2), [lasting(9), lasting(9, TrialState.PRUNED)], True),
        (Budget(trials=2), [lasting(9), lasting(9, TrialState.RUNNING)], True),
        (Budget(trials=2), [lasting(9), lasting(9, TrialState.FAIL)], False),
        (Budget(seconds=30), [lasting(10), lasting(10)], False),
        (Budget(seconds=29), [lasting(10), lasting(10)], True),
        (Budget(seconds=29), [lasting(10), lasting(10, worker="other")], False),
        (Budget(seconds=1), [], False),
        (Budget(cpu_hours=1), [lasting(1, cpu=1800)], False),
        (Budget(cpu_hours=1), [lasting(1, cpu=1801)], True),
        (Budget(cpu_hours=1), [lasting(1, cpu=1200), lasting(1, cpu=1201, worker="other")], True),
        (Budget(), [lasting(1e6, cpu=1e6)] * 50, False),
    ],
)
def test_no_trial_starts_that_the_budget_has_no_room_for(
    budget: Budget, trials: list[FrozenTrial], spent: bool
) -> None:
    assert budget.is_spent(trials) == spent


def test_the_time_of_the_final_comparison_is_kept_free() -> None:
    assert not Budget(seconds=40).is_spent([lasting(10)], reserve=20)
    assert Budget(seconds=40).is_spent([lasting(10)], reserve=21)
    assert not Budget(seconds=40).is_spent([], reserve=100)  # the first trial always runs


def test_limits_that_are_given_replace_those_of_the_preset() -> None:
    assert choose_budget("quick", None, None, None) == PRESETS["quick"].budget
    assert choose_budget("quick", 3, 60, 0.5) == Budget(3, 60, 0.5)
    assert choose_budget("full", None, None, None).seconds == 0
