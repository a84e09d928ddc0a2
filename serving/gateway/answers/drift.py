"""Answers about drift."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field


class DriftAnswer(BaseModel):
    """What the monitor makes of the photos that one version of the model was sent."""

    model_version: str
    updated: datetime | None = Field(description="When photos were last compared; null: never.")
    photos: int = Field(description="Photos compared.")
    grade: str = Field(description="none, ungraded, harmless, harmful or unfamiliar.")
    alarm_at: int = Field(description="Number of the photo that raised the present alarm; 0: there is none.")
    wealth: float = Field(description="Evidence of drift; at 200 there is an alarm.")
    unknown_share: float = Field(description="Share of the photos that are out of distribution.")
    reference_accuracy: float = Field(description="Accuracy on the reference photos.")
    estimated_accuracy: float | None = Field(
        description="Accuracy since the change, estimated without labels; null: it cannot be told."
    )
