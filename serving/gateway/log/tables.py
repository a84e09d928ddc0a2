"""The tables of the gateway's database, for SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    DateTime,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    String,
    TypeDecorator,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite, which knows no time zones, stores it without one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Into the database."""
        return value.astimezone(UTC) if value is not None else None

    def process_result_value(self, value: datetime | None, dialect: Any) -> datetime | None:
        """Out of the database."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


_ASKED_AGAIN = text("blind = 'asked'")


class Base(DeclarativeBase):
    """Base of all tables."""


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


class HourlyCount(Base):
    """Predictions of one hour, version, class and known flag: what the trends are drawn from."""

    __tablename__ = "hourly_counts"

    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    model_version: Mapped[str] = mapped_column(String(64), primary_key=True)
    label: Mapped[str] = mapped_column(String(255), primary_key=True)
    known: Mapped[int] = mapped_column(Integer, primary_key=True)  # 1, 0, or -1 where the bundle cannot tell
    photos: Mapped[int] = mapped_column(BigInteger, default=0)
    confidence_sum: Mapped[float] = mapped_column(Float, default=0.0)


class HourlyLatency(Base):
    """Predictions of one hour and version by latency bucket: percentiles without a scan of the log."""

    __tablename__ = "hourly_latency"

    hour: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    model_version: Mapped[str] = mapped_column(String(64), primary_key=True)
    bucket: Mapped[int] = mapped_column(Integer, primary_key=True)
    photos: Mapped[int] = mapped_column(BigInteger, default=0)


class DailyUser(Base):
    """Predictions of one day and user."""

    __tablename__ = "daily_users"

    day: Mapped[datetime] = mapped_column(UtcDateTime, primary_key=True)
    user_id: Mapped[str] = mapped_column(String(32), primary_key=True)
    photos: Mapped[int] = mapped_column(BigInteger, default=0)
    unknown: Mapped[int] = mapped_column(BigInteger, default=0)


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


class ApiKey(Base):
    """An API key; only its hash is stored."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    secret_sha256: Mapped[str] = mapped_column(String(64))
    user_id: Mapped[str] = mapped_column(String(32))
    user_name: Mapped[str] = mapped_column(String(200))
    name: Mapped[str] = mapped_column(String(100))
    scopes: Mapped[str] = mapped_column(String(200))
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    expires: Mapped[datetime | None] = mapped_column(UtcDateTime)
    revoked: Mapped[datetime | None] = mapped_column(UtcDateTime)

    __table_args__ = (Index("api_keys_by_user", "user_id"),)


class UsedCode(Base):
    """A one-time code that was used, until it expires."""

    __tablename__ = "used_codes"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)


class EndedSession(Base):
    """A console session that was signed out, until its cookie expires."""

    __tablename__ = "ended_sessions"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)


class TaskRow(Base):
    """An asynchronous prediction, where there is no Redis.

    Attributes:
        state: ``queued``, ``running``, ``done``, ``failed`` or ``expired``.
        lease: Until when the worker that runs it is believed to be alive.
    """

    __tablename__ = "tasks"

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[str] = mapped_column(String(32))
    state: Mapped[str] = mapped_column(String(16), default="queued")
    created: Mapped[datetime] = mapped_column(UtcDateTime)
    expires: Mapped[datetime] = mapped_column(UtcDateTime)
    lease: Mapped[datetime | None] = mapped_column(UtcDateTime)
    attempts: Mapped[int] = mapped_column(Integer, default=0)
    request: Mapped[dict[str, Any]] = mapped_column(JSON)
    photo: Mapped[bytes | None] = mapped_column(LargeBinary)
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON)

    __table_args__ = (Index("tasks_by_state", "state", "created"), Index("tasks_by_expiry", "expires"))
