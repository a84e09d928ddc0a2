"""Tables of counts: predictions by hour and class, latencies, and users by day."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Float, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from serving.gateway.log.tables.base import Base, UtcDateTime


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
