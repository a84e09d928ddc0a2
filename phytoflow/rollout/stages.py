"""The stages of a rollout, in order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from phytoflow.rollout.settings import RolloutSettings

StageName = Literal["shadow", "canary", "watch", "promoted", "settled", "aborted", "refused", "rolled_back"]
ACTIVE: frozenset[StageName] = frozenset({"shadow", "canary", "watch"})


@dataclass(frozen=True)
class Stage:
    """A stage.

    Attributes:
        name: ``shadow``: the challenger answers copies; ``canary``: a share of users; ``watch``: all users,
            with the former champion ready to take over; ``settled``: after promotion, the predictor that the
            settings name as champion has taken the model over.
        percent: Share of users that the challenger answers, in percent.
    """

    name: StageName
    percent: int

    @property
    def is_active(self) -> bool:
        """Whether models are still compared."""
        return self.name in ACTIVE


def first_stage() -> Stage:
    """A challenger begins with copies of traffic."""
    return Stage("shadow", 0)


def next_stage(stage: Stage, settings: RolloutSettings) -> Stage:
    """The stage after this one if nothing speaks against the challenger."""
    if stage.name == "watch":
        return Stage("promoted", 100)
    larger = [percent for percent in settings.canary_percents if percent > stage.percent]
    return Stage("canary", larger[0]) if larger else Stage("watch", 100)


def stopped_stage(stage: Stage, *, by_hand: bool, for_accuracy: bool) -> Stage:
    """The end of a rollout that was stopped: all users are the champion's again."""
    if stage.name == "watch":
        return Stage("rolled_back", 0)
    return Stage("refused" if for_accuracy and not by_hand else "aborted", 0)
