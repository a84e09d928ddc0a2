"""Tables of predictions, and their features for drift."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Boolean, Float, ForeignKey, Index, LargeBinary, String, text
from sqlalchemy.orm import Mapped, mapped_column

from serving.gateway.log.tables.base import Base, UtcDateTime

_ASKED_AGAIN = text("blind = 'asked'")


class Prediction(Base):
    """One classified photo.

    Attributes:
        id: Time-ordered (UUID version 7), 32 hexadecimal characters; also what makes a replay harmless.
        created: When it was answered.
        user_id: Who asked; empty for callers of the predictor itself.
        user_name: Name to show reviewers.
        source: ``rest``, ``task``, ``console``, ``v2-rest`` or ``v2-grpc``.
        file_name: As the client gave it.
        photo_sha256: Hash of the bytes that were classified.
        photo_stored: Whether the photo store has it.
        label: Likeliest class.
        confidence: Its calibrated probability.
        known: Whether it resembles the training photos; None if the bundle cannot tell.
        novelty: Out-of-distribution score.
        top: The likeliest classes with their probabilities.
        latency_ms: Time to the answer in the gateway, or in the predictor for its own callers.
        model: Name of the model.
        model_version: Version that answered.
        role: ``champion``, or ``challenger`` for a copy of traffic.
        request_id: Shared by the photos of one request.
        label_now: Class after review; None while nobody corrected it.
        review: State of the feedback: none, pending, agreed, accepted or rejected.
        blind: Whether the accepted class is checked by a second look: empty, asked, agreed or disagreed.
    """

    __tablename__ = "predictions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    user_id: Mapped[str] = mapped_column(String(32), default="")
    user_name: Mapped[str] = mapped_column(String(200), default="")
    source: Mapped[str] = mapped_column(String(16))
    file_name: Mapped[str] = mapped_column(String(255), default="")
    photo_sha256: Mapped[str] = mapped_column(String(64), default="")
    photo_stored: Mapped[bool] = mapped_column(Boolean, default=False)
    label: Mapped[str] = mapped_column(String(255))
    confidence: Mapped[float] = mapped_column(Float)
    known: Mapped[bool | None] = mapped_column(Boolean)
    novelty: Mapped[float | None] = mapped_column(Float)
    top: Mapped[list[Any]] = mapped_column(JSON, default=list)
    latency_ms: Mapped[float] = mapped_column(Float)
    model: Mapped[str] = mapped_column(String(63))
    model_version: Mapped[str] = mapped_column(String(64))
    role: Mapped[str] = mapped_column(String(16), default="champion")
    request_id: Mapped[str] = mapped_column(String(64), default="")
    label_now: Mapped[str | None] = mapped_column(String(255))
    review: Mapped[str] = mapped_column(String(16), default="none")
    blind: Mapped[str] = mapped_column(String(16), default="")

    __table_args__ = (
        Index("predictions_by_user", "user_id", "id"),
        Index("predictions_by_label", "user_id", "label", "id"),
        Index("predictions_by_review", "review", "id"),
        # Few rows: the photos that are asked again, which the review queue would else look for in all.
        Index("predictions_asked_again", "id", sqlite_where=_ASKED_AGAIN, postgresql_where=_ASKED_AGAIN),
        Index("predictions_by_photo", "photo_sha256"),
        Index("predictions_by_time", "created"),
    )


class PredictionFeatures(Base):
    """Pooled features of a prediction, float16 little-endian, for drift detection.

    A table of its own: they are ten times as large as all the rest, which most queries read.
    """

    __tablename__ = "prediction_features"

    prediction_id: Mapped[str] = mapped_column(
        ForeignKey("predictions.id", ondelete="CASCADE"), primary_key=True
    )
    features: Mapped[bytes] = mapped_column(LargeBinary)
