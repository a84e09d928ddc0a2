"""Reading the prediction log."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Select, select

from serving.gateway.auth.principal import Principal
from serving.gateway.log.database import Database
from serving.gateway.log.tables import Prediction
from serving.gateway.problems import ProblemError

if TYPE_CHECKING:
    from serving.gateway.services import Services

_WAIT_SECONDS = (0.0, 0.1, 0.3, 0.6)  # an answer of another replica may still be in that replica's journal


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


async def visible_prediction(services: Services, prediction_id: str, caller: Principal) -> Prediction:
    """A prediction that the caller may see.

    Raises:
        ProblemError: 404, also for another user's: its existence is nobody's business.
    """
    row = await find_prediction(services, prediction_id)
    reviewer = bool({"review", "admin"} & caller.scopes)
    if row is None or not (row.user_id == caller.user_id or reviewer):
        raise ProblemError(404, "no_such_prediction", "there is no prediction of this id")
    return row


async def find_prediction(services: Services, prediction_id: str) -> Prediction | None:
    """A prediction, also one that was answered a moment ago by any replica."""
    for seconds in _WAIT_SECONDS:
        await asyncio.sleep(seconds)
        async with services.database.session() as session:
            if (row := await session.get(Prediction, prediction_id)) is not None:
                return row
        await services.log.flush()
    return None


async def accepted_after(database: Database, after: str, limit: int) -> Sequence[Prediction]:
    """Accepted predictions with a photo, oldest first, after the one of an id."""
    query = select(Prediction).where(
        Prediction.review == "accepted", Prediction.photo_stored, Prediction.id > after
    )
    async with database.session() as session:
        return list(await session.scalars(query.order_by(Prediction.id).limit(limit)))
