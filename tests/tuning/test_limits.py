from dataclasses import replace

import pytest

from phytoflow.config.overrides import SettingsOverrides
from phytoflow.errors import ConfigError
from phytoflow.tuning import limits
from phytoflow.tuning.limits import check_limits
from phytoflow.tuning.plan import CostLimits, Plan
from phytoflow.tuning.space import search_space


def test_limits_that_no_network_is_within_are_refused_with_the_nearest(plan: Plan) -> None:
    with pytest.raises(ConfigError, match=r"the nearest has .* MB") as refusal:
        check_limits(replace(plan, limits=CostLimits(megabytes=1)), 2)
    assert "--vary" in refusal.value.remedy


def test_limits_that_one_of_the_networks_is_within_are_accepted(overrides: SettingsOverrides) -> None:
    own = overrides.merge(SettingsOverrides({"training": {"strategy": "partial"}}))
    vary = SettingsOverrides.read(None, ["model.backbone=[attention_cnn]"])
    plan = Plan(own, search_space("quick", own, vary), limits=CostLimits(megabytes=12), budget=None)  # type: ignore[arg-type]
    check_limits(plan, 2)


def test_without_limits_nothing_is_measured(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(limits, "measure_cost")
    check_limits(plan, 2)
