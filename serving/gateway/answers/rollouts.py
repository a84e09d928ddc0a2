"""Answers about rollouts."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from phytoflow.rollout.settings import RolloutSettings
from phytoflow.rollout.stages import StageName
from serving.gateway.log.tables import RolloutEvent


class RolloutEventAnswer(BaseModel):
    """A decision and the evidence that it rests on."""

    created: datetime
    action: Literal["start", "advance", "stop", "promote", "abort", "settle"]
    stage: str = Field(description="The stage before it.")
    percent: int
    user_name: str = Field(description="Who decided; empty: the gateway.")
    reason: str
    evidence: dict[str, Any]


class RolloutAnswer(BaseModel):
    """A rollout."""

    id: str
    created: datetime
    champion: str = Field(description="URL of the predictor that answered when it began.")
    challenger: str = Field(description="URL of the predictor that may replace it.")
    stage: StageName
    percent: int = Field(description="Share of users that the challenger answers.")
    stage_since: datetime
    next: str = Field(description="What happens next, and what is missing for it.")
    evidence: dict[str, Any]
    settings: RolloutSettings
    events: list[RolloutEventAnswer]


class ReplayedDecision(BaseModel):
    """A decision of the gateway, recomputed from the log."""

    created: datetime
    stage: str
    percent: int
    recorded: str = Field(description="What was decided.")
    recomputed: str = Field(description="What the log of today gives for that moment.")
    same: bool


class Question(BaseModel):
    """A photo on which the two models disagree."""

    prediction_id: str
    labels: list[str] = Field(description="The two classes in alphabetical order.")


def event_answer(event: RolloutEvent) -> RolloutEventAnswer:
    """A decision."""
    return RolloutEventAnswer(**{name: getattr(event, name) for name in RolloutEventAnswer.model_fields})
