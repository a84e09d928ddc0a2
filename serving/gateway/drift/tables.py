"""What the monitor keeps in the database, and how it is read for the console and the metrics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import case, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from phytoflow.monitoring.monitor import Assessment, MonitorState
from serving.gateway.log.database import Database
from serving.gateway.log.queries import LoggedPrediction
from serving.gateway.log.tables import (
    DriftEvent,
    DriftHour,
    DriftState,
    Prediction,
    PredictionFeatures,
    Unmonitored,
)

_ACCEPTED = ("agreed", "accepted")  # states of the feedback in which the class is settled


async def lock_state(database: Database, connection: AsyncConnection, version: str) -> DriftRow:
    """Makes the state if there is none, and holds it until the transaction ends: one replica at a time."""
    first = database.insert(DriftState).values(model_version=version).on_conflict_do_nothing()
    await connection.execute(first)
    mine = DriftState.model_version == version
    # An update takes the lock in both databases; SQLite knows no SELECT ... FOR UPDATE.
    await connection.execute(update(DriftState).where(mine).values(photos=DriftState.photos))
    return DriftRow((await connection.execute(select(DriftState.__table__).where(mine))).mappings().one())


class DriftRow:
    """A row of ``drift_states``."""

    def __init__(self, row: Any) -> None:
        self.version: str = row["model_version"]
        self.photos: int = row["photos"]
        self.updated: datetime | None = row["updated"]
        self.assessed: datetime | None = row["assessed"]
        self.state = MonitorState.load(row["state"]) if row["state"] else None
        document = row["assessment"]
        self.assessment = Assessment.model_validate(document) if document else None


async def waiting(connection: AsyncConnection, limit: int) -> list[tuple[int, str, LoggedPrediction]]:
    """Predictions that no replica has compared yet: number in the queue, model version, prediction."""
    query = (
        select(
            Unmonitored.number,
            Prediction.model_version,
            Prediction.id,
            Prediction.label,
            Prediction.confidence,
            Prediction.novelty,
            PredictionFeatures.features,
        )
        .join(Prediction, Prediction.id == Unmonitored.prediction_id)
        .outerjoin(PredictionFeatures, PredictionFeatures.prediction_id == Prediction.id)
        .order_by(Unmonitored.number)
        .limit(limit)
    )
    rows = await connection.execute(query)
    return [(row[0], row[1], LoggedPrediction(*row[2:])) for row in rows]


async def remove_waiting(connection: AsyncConnection, numbers: list[int]) -> None:
    """Takes predictions from the queue, in the transaction that stores the new state."""
    await connection.execute(delete(Unmonitored).where(Unmonitored.number.in_(numbers)))


async def clear_waiting(connection: AsyncConnection) -> None:
    """Empties the queue."""
    await connection.execute(delete(Unmonitored))


async def store_state(
    connection: AsyncConnection,
    version: str,
    state: MonitorState,
    assessment: Assessment,
    assessed: datetime,
    updated: datetime,
) -> None:
    """Writes the state after further photos, or the assessment of those that came since the last one."""
    values = {
        "photos": state.wealth.photos,
        "state": state.dump(),
        "assessment": assessment.model_dump(mode="json"),
        "assessed": assessed,
        "updated": updated,
    }
    await connection.execute(update(DriftState).where(DriftState.model_version == version).values(values))


async def count_hour(
    database: Database, connection: AsyncConnection, version: str, wealth: float, accuracy: float | None
) -> None:
    """Keeps the largest wealth and the last estimate of the present hour."""
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    statement = database.insert(DriftHour).values(
        hour=hour, model_version=version, wealth=wealth, accuracy=accuracy
    )
    largest = _case_larger(statement.excluded.wealth)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["hour", "model_version"],
            set_={"wealth": largest, "accuracy": statement.excluded.accuracy},
        )
    )


def _case_larger(other: Any) -> Any:
    return case((DriftHour.wealth > other, DriftHour.wealth), else_=other)


async def add_event(connection: AsyncConnection, version: str, kind: str, assessment: Assessment) -> None:
    """Notes that an alarm was raised, was graded anew, or is over, with its evidence."""
    values = {
        "model_version": version,
        "created": datetime.now(UTC),
        "kind": kind,
        "grade": assessment.grade,
        "evidence": assessment.model_dump(mode="json"),
    }
    await connection.execute(insert(DriftEvent).values(values))


async def judged(connection: AsyncConnection, ids: tuple[str, ...]) -> list[bool]:
    """For predictions whose class people settled: whether the model had it right."""
    query = select(Prediction.label, Prediction.label_now).where(
        Prediction.id.in_(ids), Prediction.review.in_(_ACCEPTED)
    )
    return [now is None or now == label for label, now in await connection.execute(query)]


async def read_states(database: Database) -> list[DriftRow]:
    """The states of all versions, the one that saw photos last first."""
    query = select(DriftState.__table__).order_by(DriftState.updated.desc())
    async with database.connection() as connection:
        return [DriftRow(row) for row in (await connection.execute(query)).mappings()]


async def read_hours(
    database: Database, version: str, days: int
) -> list[tuple[datetime, float, float | None]]:
    """Largest wealth and last estimate of each hour."""
    since = datetime.now(UTC) - timedelta(days=days)
    query = (
        select(DriftHour.hour, DriftHour.wealth, DriftHour.accuracy)
        .where(DriftHour.model_version == version, DriftHour.hour >= since)
        .order_by(DriftHour.hour)
    )
    async with database.connection() as connection:
        return [(hour, wealth, accuracy) for hour, wealth, accuracy in await connection.execute(query)]


async def read_events(database: Database, limit: int = 20) -> list[Any]:
    """The last events, newest first."""
    query = select(DriftEvent.__table__).order_by(DriftEvent.id.desc()).limit(limit)
    async with database.connection() as connection:
        return list((await connection.execute(query)).mappings())
