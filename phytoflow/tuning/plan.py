"""What a search is to do: settings, space, budget, limits of cost."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field

from phytoflow.config.loader import resolve
from phytoflow.config.overrides import SettingsOverrides
from phytoflow.config.settings import RunSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.inference.cost import ModelCost
from phytoflow.models.factory import preprocessing_for
from phytoflow.settings_base import SearchChoices
from phytoflow.training.engine.checkpoints import fingerprint
from phytoflow.tuning.budget import Budget
from phytoflow.tuning.space import Space, with_values


@dataclass(frozen=True)
class CostLimits:
    """Limits of what a network may cost; 0 means no limit.

    Attributes:
        milliseconds: Time of one photo; see ``ModelCost``.
        megabytes: Size of the weights.
    """

    milliseconds: float = 0.0
    megabytes: float = 0.0

    def excess(self, cost: ModelCost) -> tuple[float, float]:
        """How far a cost is beyond the limits, as a share of each; at most 0 if it is within."""
        return (
            cost.milliseconds / self.milliseconds - 1 if self.milliseconds else 0.0,
            cost.megabytes / self.megabytes - 1 if self.megabytes else 0.0,
        )


@dataclass(frozen=True)
class Plan:
    """A search.

    Attributes:
        overrides: What the user set; ``best.yaml`` holds it too.
        space: What is varied.
        budget: What the search may spend.
        limits: What a recommended network may cost.
        photos: Training and validation photos of the trials; 0 means all.
        multi_objective: Whether trials are also drawn for a low latency and a small size.
    """

    overrides: SettingsOverrides
    space: Space
    budget: Budget
    limits: CostLimits = field(default_factory=CostLimits)
    photos: int = 0
    multi_objective: bool = False

    @property
    def settings(self) -> RunSettings:
        """The starting settings."""
        return resolve(self.overrides)

    @property
    def networks(self) -> list[RunSettings]:
        """The starting settings with each network that the search may try."""
        varied = {
            key: choices.values
            for key, choices in self.space.items()
            if key.startswith("model.") and isinstance(choices, SearchChoices)
        }
        products = itertools.product(*varied.values())
        chosen = (dict(zip(varied, values, strict=True)) for values in products)
        return [resolve(with_values(self.overrides, values)) for values in chosen]

    @property
    def largest_settings(self) -> RunSettings:
        """The settings of the network that needs the largest photos: they do for all others."""
        return max(self.networks, key=lambda each: preprocessing_for(each.model).resize_size)

    def origin(self, dataset: Dataset) -> str:
        """Identifies photos, settings and space, but not the budget: a search may be given more."""
        return fingerprint(
            data=dataset.summary.data_hash,
            settings=self.settings.model_dump(mode="json"),
            space={key: repr(varied) for key, varied in self.space.items()},
            limits=[self.limits.milliseconds, self.limits.megabytes],
            photos=self.photos,
            multi_objective=self.multi_objective,
        )
