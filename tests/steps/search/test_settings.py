"""What steps of a search hand on as JSON."""

from __future__ import annotations

import json

import pytest

from phytoflow.errors import ConfigError
from phytoflow.steps.search.settings import OpenedSearch, SearchStepSettings
from phytoflow.tuning.settings import SearchSettings


def test_workers_read_the_plan_that_was_checked(settings: SearchStepSettings) -> None:
    opened = OpenedSearch(settings=settings, run_id="a1")
    again = OpenedSearch.from_json(opened.to_json())
    assert again == opened and again.settings.plan == settings.plan
    assert settings.plan.settings.seed == 7 and settings.plan.budget.trials == 1


def test_a_step_of_another_version_is_refused() -> None:
    tree = json.loads(SearchStepSettings(overrides={}, search=SearchSettings()).to_json())
    del tree["search"]["photos"]
    with pytest.raises(ConfigError, match=r"search\.photos is missing"):
        SearchStepSettings.from_json(json.dumps(tree))
