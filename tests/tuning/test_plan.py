from dataclasses import replace

import pytest

from phytoflow.config.overrides import SettingsOverrides
from phytoflow.data.shards.dataset import Dataset
from phytoflow.inference.cost import ModelCost
from phytoflow.tuning.budget import Budget
from phytoflow.tuning.plan import CostLimits, Plan
from phytoflow.tuning.space import search_space


@pytest.mark.parametrize(
    ("limits", "excess"),
    [
        (CostLimits(), (0, 0)),
        (CostLimits(milliseconds=10), (1, 0)),
        (CostLimits(megabytes=50), (0, -0.2)),
        (CostLimits(milliseconds=40, megabytes=20), (-0.5, 1)),
    ],
)
def test_excess_is_a_share_of_the_limit(limits: CostLimits, excess: tuple[float, float]) -> None:
    assert limits.excess(ModelCost(10**7, megabytes=40, milliseconds=20)) == pytest.approx(excess)


def test_photos_are_prepared_for_the_network_that_needs_the_largest(overrides: SettingsOverrides) -> None:
    vary = SettingsOverrides.read(None, ["model.image_size=[96, 32]"])
    plan = Plan(overrides, search_space("quick", overrides, vary), Budget())
    assert sorted(settings.model.image_size for settings in plan.networks) == [32, 64, 96]
    assert plan.largest_settings.model.image_size == 96


def test_a_search_may_be_given_a_larger_budget_but_no_other_limits(plan: Plan, dataset: Dataset) -> None:
    origin = plan.origin(dataset)
    assert replace(plan, budget=Budget(trials=50)).origin(dataset) == origin
    others = [
        replace(plan, limits=CostLimits(milliseconds=3)),
        replace(plan, photos=10),
        replace(plan, multi_objective=True),
        replace(plan, overrides=plan.overrides.merge(SettingsOverrides({"seed": 1}))),
    ]
    assert len({origin, *(other.origin(dataset) for other in others)}) == 5
