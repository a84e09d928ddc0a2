"""Reading the prediction log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, func, select

from serving.gateway.log.database import Database
from serving.gateway.log.tables import Prediction, PredictionFeatures
from serving.gateway.log.writer import LogWriter

_WAIT_SECONDS = (0.0, 0.1, 0.3, 0.6)  # an answer of another replica may still be in that replica's journal


class LoggedPrediction(NamedTuple):
    """What the monitor reads of a prediction; ``features`` are little-endian float16, if they were logged."""

    id: str
    label: str
    confidence: float
    novelty: float | None
    features: bytes | None


@dataclass(frozen=True)
class Filters:
    """Which predictions are wanted; None means any.

    Attributes:
        user_id: Whose.
        label: Class given.
        known: Known flag.
        review: State of the feedback.
        since: Not older than this.
        until: Older than this.
        before: Older than the prediction of this id.
        version: Model version.
    """

    user_id: str | None = None
    label: str | None = None
    known: bool | None = None
    review: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: str | None = None
    version: str | None = None

    def apply(self, query: Select[tuple[Prediction]]) -> Select[tuple[Prediction]]:
        """The query with these conditions."""
        equal = {
            Prediction.user_id: self.user_id,
            Prediction.label: self.label,
            Prediction.known: self.known,
            Prediction.review: self.review,
            Prediction.model_version: self.version,
        }
        for column, value in equal.items():
            query = query if value is None else query.where(column == value)
        query = query if self.since is None else query.where(Prediction.created >= self.since)
        query = query if self.until is None else query.where(Prediction.created < self.until)
        return query if self.before is None else query.where(Prediction.id < self.before)


async def list_predictions(database: Database, filters: Filters, limit: int) -> Sequence[Prediction]:
    """Predictions, newest first: ids are time-ordered."""
    query = filters.apply(select(Prediction)).order_by(Prediction.id.desc()).limit(limit)
    async with database.session() as session:
        return list(await session.scalars(query))


async def find_prediction(database: Database, log: LogWriter, prediction_id: str) -> Prediction | None:
    """A prediction, also one that was answered a moment ago by any replica."""
    for seconds in _WAIT_SECONDS:
        await asyncio.sleep(seconds)
        async with database.session() as session:
            if (row := await session.get(Prediction, prediction_id)) is not None:
                return row
        await log.flush()
    return None


async def labels_of(database: Database, user_id: str) -> list[str]:
    """The classes that a user's predictions were given, sorted.

    Goes from each class to the next one in the index: PostgreSQL would read all the user's rows for DISTINCT.
    """
    smallest = select(func.min(Prediction.label).label("label")).where(Prediction.user_id == user_id)
    seen = smallest.cte("seen", recursive=True)
    following = smallest.where(Prediction.label > seen.c.label).scalar_subquery()
    seen = seen.union_all(select(following).where(seen.c.label.is_not(None)))
    query = select(seen.c.label).where(seen.c.label.is_not(None)).order_by(seen.c.label)
    async with database.session() as session:
        return list(await session.scalars(query))


async def accepted_after(database: Database, after: str, limit: int) -> Sequence[Prediction]:
    """Accepted predictions with a photo, oldest first, after the one of an id."""
    query = select(Prediction).where(
        Prediction.review == "accepted", Prediction.photo_stored, Prediction.id > after
    )
    async with database.session() as session:
        return list(await session.scalars(query.order_by(Prediction.id).limit(limit)))


async def logged_predictions(
    database: Database, version: str, after: str, limit: int = 1000
) -> list[LoggedPrediction]:
    """What the monitor reads of predictions of a version, oldest first, beginning after the one of an id."""
    query = (
        select(
            Prediction.id,
            Prediction.label,
            Prediction.confidence,
            Prediction.novelty,
            PredictionFeatures.features,
        )
        .outerjoin(PredictionFeatures, PredictionFeatures.prediction_id == Prediction.id)
        .where(Prediction.model_version == version, Prediction.id > after)
        .order_by(Prediction.id)
        .limit(limit)
    )
    async with database.connection() as connection:
        return [LoggedPrediction(*row) for row in await connection.execute(query)]
