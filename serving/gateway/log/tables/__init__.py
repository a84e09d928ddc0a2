"""The tables of the gateway's database, for SQLite and PostgreSQL."""

from serving.gateway.log.tables.access import ApiKey, EndedSession, UsedCode
from serving.gateway.log.tables.base import Base, UtcDateTime
from serving.gateway.log.tables.counts import DailyUser, HourlyCount, HourlyLatency
from serving.gateway.log.tables.drift import DriftEvent, DriftHour, DriftState, Unmonitored
from serving.gateway.log.tables.feedback import Decision, Feedback
from serving.gateway.log.tables.predictions import Prediction, PredictionFeatures
from serving.gateway.log.tables.rollouts import Comparison, Rollout, RolloutEvent
from serving.gateway.log.tables.tasks import TaskRow

__all__ = [
    "ApiKey",
    "Base",
    "Comparison",
    "DailyUser",
    "Decision",
    "DriftEvent",
    "DriftHour",
    "DriftState",
    "EndedSession",
    "Feedback",
    "HourlyCount",
    "HourlyLatency",
    "Prediction",
    "PredictionFeatures",
    "Rollout",
    "RolloutEvent",
    "TaskRow",
    "Unmonitored",
    "UsedCode",
    "UtcDateTime",
]
