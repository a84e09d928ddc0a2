"""What a user asks of a search."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from phytoflow.config.loader import validate
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.errors import ConfigError
from phytoflow.settings_base import Section
from phytoflow.tuning.budget import PRESETS, choose_budget
from phytoflow.tuning.plan import CostLimits, Plan
from phytoflow.tuning.space import Preset, search_space

_Limit = Annotated[float, Field(ge=0)]


class SearchSettings(Section):
    """A search; its keys are the options of ``phytoflow tune``.

    Attributes:
        preset: How many settings are varied, and the default budget.
        trials: Trials of all workers; None: the preset's.
        seconds: Time of a worker's trials; None: the preset's.
        cpu_hours: Processor time of all trials; None: no limit.
        photos: Photos of the trials, 0: all; None: the preset's.
        max_milliseconds: Longest time of one photo in PyTorch on the CPU of the worker; 0: no limit.
        max_megabytes: Largest size of the network's weights; 0: no limit.
        multi_objective: Whether trials are drawn for low latency and small size too.
        vary: Further settings to vary, each ``KEY=[VALUES]``.
    """

    preset: Preset = "quick"
    trials: int | None = Field(None, ge=1)
    seconds: float | None = Field(None, ge=1)
    cpu_hours: float | None = Field(None, gt=0)
    photos: int | None = Field(None, ge=0)
    max_milliseconds: _Limit = 0.0
    max_megabytes: _Limit = 0.0
    multi_objective: bool = False
    vary: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> SearchSettings:
        """Reads YAML; empty text is the quick search.

        Raises:
            ConfigError: This is no YAML, or a key or value is wrong.
        """
        tree = SettingsOverrides.parse(text, "the search").tree
        try:
            return validate(cls, tree)
        except ConfigError as error:
            remedy = "the keys are the options of `phytoflow tune`, e.g. 'preset: full'"
            raise ConfigError(f"the search: {error.message}", remedy=remedy) from error

    def plan(self, overrides: SettingsOverrides) -> Plan:
        """What the search is to do with a user's settings.

        Raises:
            ConfigError: Nothing is left to vary, or values contradict each other or the user's settings.
        """
        return Plan(
            overrides=overrides,
            space=search_space(self.preset, overrides, SettingsOverrides.read(None, self.vary)),
            budget=choose_budget(self.preset, self.trials, self.seconds, self.cpu_hours),
            limits=CostLimits(self.max_milliseconds, self.max_megabytes),
            photos=PRESETS[self.preset].photos if self.photos is None else self.photos,
            multi_objective=self.multi_objective,
        )
