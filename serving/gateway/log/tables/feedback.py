"""Tables of what users say of predictions, and what became of it."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from serving.gateway.log.tables.base import Base, UtcDateTime


class Feedback(Base):
    """What one user said of one prediction; a second statement of the same user replaces the first.

    Attributes:
        verdict: ``right``, ``label`` (it is something else) or ``cannot_tell``.
        label: The class it is; None unless the verdict is ``label`` or ``right``.
        role: ``user``, ``reviewer`` or ``blind`` (asked again without seeing the earlier answer).
    """

    __tablename__ = "feedback"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    prediction_id: Mapped[str] = mapped_column(ForeignKey("predictions.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(String(32))
    verdict: Mapped[str] = mapped_column(String(16))
    label: Mapped[str | None] = mapped_column(String(255))
    role: Mapped[str] = mapped_column(String(16), default="user")
    comment: Mapped[str] = mapped_column(String(500), default="")
    created: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (
        Index("feedback_by_prediction", "prediction_id", "user_id", "role", unique=True),
        Index("feedback_by_user", "user_id"),
    )


class Decision(Base):
    """What a reviewer decided; all decisions stay, the last one counts."""

    __tablename__ = "decisions"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    prediction_id: Mapped[str] = mapped_column(ForeignKey("predictions.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(String(32))
    user_name: Mapped[str] = mapped_column(String(200), default="")
    decision: Mapped[str] = mapped_column(String(16))  # accepted or rejected
    label: Mapped[str | None] = mapped_column(String(255))
    created: Mapped[datetime] = mapped_column(UtcDateTime)

    __table_args__ = (Index("decisions_by_prediction", "prediction_id"),)
