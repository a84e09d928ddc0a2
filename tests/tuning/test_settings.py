"""What a user asks of a search, as YAML."""

from __future__ import annotations

import inspect

import pytest

from phytoflow.cli.tune import tune
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.errors import ConfigError
from phytoflow.tuning.settings import SearchSettings


def test_empty_text_is_the_quick_search() -> None:
    plan = SearchSettings.parse("").plan(SettingsOverrides())
    assert (plan.budget.trials, plan.budget.seconds, plan.photos) == (12, 600, 600)
    assert not plan.multi_objective and not plan.limits.megabytes


def test_given_values_replace_those_of_the_preset() -> None:
    text = "{preset: full, trials: 7, photos: 30, max_megabytes: 5, vary: ['training.batch_size=[8, 16]']}"
    plan = SearchSettings.parse(text).plan(SettingsOverrides())
    assert (plan.budget.trials, plan.photos, plan.limits.megabytes) == (7, 30, 5)
    assert "training.batch_size" in plan.space and plan.budget.seconds == 0


def test_a_wrong_key_is_explained() -> None:
    with pytest.raises(ConfigError, match="Did you mean cpu_hours") as refusal:
        SearchSettings.parse("cpu_hour: 3")
    assert "phytoflow tune" in refusal.value.remedy


def test_keys_are_the_options_of_the_command() -> None:
    options = set(inspect.signature(tune).parameters)
    assert set(SearchSettings.model_fields) == options - {
        "data",
        "output",
        "storage",
        "worker",
        "config",
        "settings",
    }
