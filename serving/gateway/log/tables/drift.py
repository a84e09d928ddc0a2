"""Tables of the drift monitor."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, Index, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from serving.gateway.log.tables.base import Base, UtcDateTime


class Unmonitored(Base):
    """A prediction that the drift monitor has not compared yet; written together with the prediction.

    A queue and not a mark on the prediction: predictions of a replica whose database was away arrive late,
    and must be taken all the same.
    """

    __tablename__ = "unmonitored"

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    prediction_id: Mapped[str] = mapped_column(ForeignKey("predictions.id", ondelete="CASCADE"))

    __table_args__ = (Index("unmonitored_by_prediction", "prediction_id"),)


class DriftState(Base):
    """State of the drift monitor of one model version.

    Attributes:
        photos: Photos compared.
        state: See ``phytoflow.monitoring.monitor.MonitorState``.
        assessment: See ``phytoflow.monitoring.monitor.Assessment``.
        assessed: When it was last made anew.
        updated: When photos were last compared.
    """

    __tablename__ = "drift_states"

    model_version: Mapped[str] = mapped_column(String(64), primary_key=True)
    photos: Mapped[int] = mapped_column(BigInteger, default=0)
    state: Mapped[bytes | None] = mapped_column(LargeBinary)
    assessment: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    assessed: Mapped[datetime | None] = mapped_column(UtcDateTime)
    updated: Mapped[datetime | None] = mapped_column(UtcDateTime)


class DriftHour(Base):
    """Largest wealth of the test, and the last estimate of the accuracy, of one hour and version."""

    __tablename__ = "drift_hours"

    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    model_version: Mapped[str] = mapped_column(String(64), primary_key=True)
    wealth: Mapped[float] = mapped_column(Float)
    accuracy: Mapped[float | None] = mapped_column(Float)


class DriftEvent(Base):
    """A change of the grade.

    Attributes:
        kind: ``alarm``, ``graded`` (another grade of the same alarm) or ``over``.
        evidence: The assessment at that moment.
    """

    __tablename__ = "drift_events"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    model_version: Mapped[str] = mapped_column(String(64))
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    kind: Mapped[str] = mapped_column(String(16))
    grade: Mapped[str] = mapped_column(String(16))
    evidence: Mapped[dict[str, Any]] = mapped_column(JSON)
