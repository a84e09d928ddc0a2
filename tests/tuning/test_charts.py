import re
from itertools import pairwise

import optuna

from phytoflow.tuning.charts import importance, non_dominated, parallel_coordinates, pareto_front
from tests.support.tuning.trials import make_trial


def test_the_setting_that_decides_the_loss_matters_most() -> None:
    study = optuna.create_study()
    rates = [1e-4 * 1.3**step for step in range(16)]
    study.add_trials([make_trial(rate, rate=rate, rank=(4, 8)[at % 2]) for at, rate in enumerate(rates)])
    chart = importance(study)
    assert chart.index("finetune learning rate") > chart.index("rank")  # the longest bar is on top
    few = optuna.create_study()
    few.add_trials(study.trials[:3])
    assert importance(few) == ""


def test_no_trial_of_the_front_is_beaten_by_another() -> None:
    best = make_trial(0.1, 0.95, milliseconds=20, megabytes=10)
    fast = make_trial(0.2, 0.90, milliseconds=5, megabytes=10)
    small = make_trial(0.3, 0.80, milliseconds=20, megabytes=1)
    beaten = make_trial(0.2, 0.89, milliseconds=5, megabytes=10)
    assert non_dominated([best, beaten, fast, small]) == [best, fast, small]
    assert non_dominated([best, best]) == [best, best]


def test_the_front_is_drawn_if_networks_differ_in_cost(finished_study: optuna.Study) -> None:
    trials = finished_study.trials
    chart = pareto_front(trials, trials[2])
    points = re.findall(r"<use [^>]*style=[^>]*>", chart)
    assert sum("--green" in point for point in points) == 1
    assert sum("--test" in point for point in points) == 1  # the network that is smaller and faster
    assert pareto_front(trials[:4], trials[2]) == ""  # all cost the same


def test_each_trial_is_a_line_over_all_settings(finished_study: optuna.Study) -> None:
    trials = finished_study.trials
    chart = parallel_coordinates(trials, trials[2])
    for label in ("rank", "finetune learning rate", "loss", "0.004"):
        assert label in chart
    assert chart.count("var(--green") == 1
    places = [chart.index(f">{name}<") for name in ("finetune learning rate", "rank", "loss")]
    assert all(left < right for left, right in pairwise(places))
