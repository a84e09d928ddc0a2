"""What the steps of a search hand on."""

from __future__ import annotations

from typing import Any

from phytoflow.config.overrides import SettingsOverrides
from phytoflow.steps.settings import StepSettings
from phytoflow.tuning.plan import Plan
from phytoflow.tuning.settings import SearchSettings


class SearchStepSettings(StepSettings):
    """Of each step of a search.

    Attributes:
        overrides: What the user set of the run, with its preset and seed.
        search: What is searched, and for how long.
    """

    overrides: dict[str, Any]
    search: SearchSettings

    @property
    def plan(self) -> Plan:
        """The search."""
        return self.search.plan(SettingsOverrides(self.overrides))


class OpenedSearch(StepSettings):
    """What workers and the conclusion need of a search that is open.

    Attributes:
        settings: The search.
        run_id: MLflow's id of its run.
    """

    settings: SearchStepSettings
    run_id: str
