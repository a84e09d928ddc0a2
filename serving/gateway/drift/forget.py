"""Takes the ids of removed predictions out of what the drift monitor keeps."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from phytoflow.monitoring.monitor import Assessment
from serving.gateway.drift import tables
from serving.gateway.log.database import Database
from serving.gateway.log.tables import DriftEvent, DriftState, Prediction


async def forget_removed(database: Database) -> None:
    """Removes ids of predictions that no longer exist; the measurements stay, for they name nobody.

    Call it once the predictions are removed: a job that is comparing some of them holds the state until it
    has stored them.
    """
    async with database.connection() as connection:
        versions = list(await connection.scalars(select(DriftState.model_version)))
    for version in versions:
        async with database.connection() as connection:
            await _clean_state(connection, await tables.lock_state(database, connection, version))
    async with database.connection() as connection:
        await _clean_events(connection)


async def _clean_state(connection: AsyncConnection, row: tables.DriftRow) -> None:
    names = row.state.names if row.state else ()
    gone = await _removed(connection, (*names, *(row.assessment.strangest if row.assessment else ())))
    if not gone:
        return
    values: dict[str, object] = {}
    if row.state:
        values["state"] = await asyncio.to_thread(row.state.forget(gone).dump)
    if row.assessment:
        values["assessment"] = row.assessment.forget(gone).model_dump(mode="json")
    mine = DriftState.model_version == row.version
    await connection.execute(update(DriftState).where(mine).values(values))


async def _clean_events(connection: AsyncConnection) -> None:
    rows = (await connection.execute(select(DriftEvent.id, DriftEvent.evidence))).all()
    assessments = {id_: Assessment.model_validate(evidence) for id_, evidence in rows}
    gone = await _removed(connection, (name for one in assessments.values() for name in one.strangest))
    for id_, assessment in assessments.items():
        if gone.intersection(assessment.strangest):
            evidence = assessment.forget(gone).model_dump(mode="json")
            mine = DriftEvent.id == id_
            await connection.execute(update(DriftEvent).where(mine).values(evidence=evidence))


async def _removed(connection: AsyncConnection, names: Iterable[str]) -> set[str]:
    """Those of the ids that belong to no prediction."""
    ids = {name for name in names if name}
    return ids - set(await connection.scalars(select(Prediction.id).where(Prediction.id.in_(ids))))
