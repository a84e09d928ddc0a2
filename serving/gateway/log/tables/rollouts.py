"""Tables of rollouts."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from serving.gateway.log.tables.base import Base, UtcDateTime


class Rollout(Base):
    """One attempt to replace the champion; the newest counts.

    Attributes:
        base_url: The champion in the settings when it began. With another one there the rollout is history.
        champion_url: The predictor that answered when it began.
        challenger_url: The predictor that may replace it.
        stage: See ``phytoflow.rollout.stages``.
        percent: Share of users that the challenger answers.
        stage_since: When the stage began.
        stage_after: Id of the last comparison before the stage.
        revision: Counts changes, so that of two replicas that decide at once only one succeeds.
        settings: ``RolloutSettings`` as they were when it began.
        reason: Of the last change.
    """

    __tablename__ = "rollouts"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    base_url: Mapped[str] = mapped_column(String(500))
    champion_url: Mapped[str] = mapped_column(String(500))
    challenger_url: Mapped[str] = mapped_column(String(500))
    stage: Mapped[str] = mapped_column(String(16))
    percent: Mapped[int] = mapped_column(Integer, default=0)
    stage_since: Mapped[datetime] = mapped_column(UtcDateTime)
    stage_after: Mapped[int] = mapped_column(Integer, default=0)
    revision: Mapped[int] = mapped_column(Integer, default=0)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(String(500), default="")


class RolloutEvent(Base):
    """A change of a rollout, with the evidence that it rests on.

    Attributes:
        action: ``start``, ``advance`` or ``stop``; by a caller of the API ``promote``, ``abort`` or
            ``settle``.
        stage: The stage before the change.
        percent: The share of users before it.
        user_name: Who decided; empty for the gateway.
        evidence: Counts at that time; see ``phytoflow.rollout.evidence``.
    """

    __tablename__ = "rollout_events"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    rollout_id: Mapped[str] = mapped_column(ForeignKey("rollouts.id", ondelete="CASCADE"))
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    action: Mapped[str] = mapped_column(String(16))
    stage: Mapped[str] = mapped_column(String(16))
    percent: Mapped[int] = mapped_column(Integer)
    user_name: Mapped[str] = mapped_column(String(200), default="")
    reason: Mapped[str] = mapped_column(String(500), default="")
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)

    __table_args__ = (Index("rollout_events_by_rollout", "rollout_id", "id"),)


class Comparison(Base):
    """One photo that both models were asked about.

    Attributes:
        prediction_id: The prediction that its user saw; it may not be in the log yet.
        answered_by: ``champion`` or ``challenger``: whose answer that was.
        challenger_label: Empty if the challenger failed.
        shift: Total variation distance between the probabilities, 0 to 1.
        slow: Whether the challenger took ``slow_factor`` times the champion's time or longer.
        failed: Whether the challenger failed where the champion answered.
    """

    __tablename__ = "comparisons"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    rollout_id: Mapped[str] = mapped_column(ForeignKey("rollouts.id", ondelete="CASCADE"))
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    prediction_id: Mapped[str] = mapped_column(String(32))
    answered_by: Mapped[str] = mapped_column(String(16))
    champion_label: Mapped[str] = mapped_column(String(255))
    challenger_label: Mapped[str] = mapped_column(String(255), default="")
    shift: Mapped[float] = mapped_column(Float, default=0.0)
    champion_ms: Mapped[float] = mapped_column(Float, default=0.0)
    challenger_ms: Mapped[float] = mapped_column(Float, default=0.0)
    slow: Mapped[bool] = mapped_column(Boolean, default=False)
    failed: Mapped[bool] = mapped_column(Boolean, default=False)

    __table_args__ = (
        Index("comparisons_by_rollout", "rollout_id", "created"),
        Index("comparisons_by_prediction", "prediction_id"),
    )
