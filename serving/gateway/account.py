"""A user's data: exported whole, and erased."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import orjson
from sqlalchemy import Select, delete, select, update
from sqlalchemy.orm import aliased

from serving.gateway.log import queries
from serving.gateway.log.tables import ApiKey, DailyUser, Decision, Feedback, Prediction
from serving.gateway.services import Services

_PAGE = 500


async def export(services: Services, user_id: str) -> AsyncIterator[bytes]:
    """Everything that is stored about a user, one JSON object a line; photos are named by their hash."""
    await services.log.flush()
    async with services.database.session() as session:
        for key in await session.scalars(select(ApiKey).where(ApiKey.user_id == user_id)):
            yield _line("api_key", key, ("id", "name", "scopes", "created", "expires", "revoked"))
        for said in await session.scalars(select(Feedback).where(Feedback.user_id == user_id)):
            yield _line("feedback", said, ("prediction_id", "verdict", "label", "role", "comment", "created"))
        for done in await session.scalars(select(Decision).where(Decision.user_id == user_id)):
            yield _line("decision", done, ("prediction_id", "decision", "label", "created"))
    before: str | None = None
    while True:
        rows = await queries.list_predictions(
            services.database, queries.Filters(user_id=user_id, before=before), _PAGE
        )
        for row in rows:
            yield _line("prediction", row, tuple(column.name for column in Prediction.__table__.columns))
        if len(rows) < _PAGE:
            return
        before = rows[-1].id


async def erase(services: Services, user_id: str) -> dict[str, int]:
    """Removes everything that is stored about a user: predictions, photos, feedback, keys and tasks.

    Photos that another user sent, too, stay. The counts by class and hour stay: they name nobody. A decision
    about a photo of somebody else stays without the name of the reviewer.

    Returns:
        How many of each were removed.
    """
    await services.log.flush()
    await services.tasks.erase(user_id)
    removed = await _erase_rows(services, user_id)
    # Another replica may have answered a moment ago and not yet have written its journal to the database.
    await asyncio.sleep(2 * services.settings.log.flush_seconds)
    again = await _erase_rows(services, user_id)
    await asyncio.to_thread(services.log.forget, user_id)
    from serving.gateway.drift.forget import forget_removed  # scipy: 40 MB that most gateways spare

    await forget_removed(services.database)
    return {name: count + again[name] for name, count in removed.items()}


async def _erase_rows(services: Services, user_id: str) -> dict[str, int]:
    removed = {"feedback": await services.feedback.forget(user_id)}
    async with services.database.connection() as connection:
        hashes = {digest for digest in await connection.scalars(_photos_of_nobody_else(user_id)) if digest}
        for name, table in (("api_keys", ApiKey), ("predictions", Prediction)):
            done = await connection.execute(delete(table).where(table.user_id == user_id))
            removed[name] = done.rowcount
        await connection.execute(delete(DailyUser).where(DailyUser.user_id == user_id))
        mine = update(Decision).where(Decision.user_id == user_id)
        await connection.execute(mine.values(user_id="", user_name=""))
    removed["photos"] = sum([await services.photos.remove(digest) for digest in hashes])
    return removed


def _photos_of_nobody_else(user_id: str) -> Select[str]:
    other = aliased(Prediction)
    shared = select(other.id).where(other.photo_sha256 == Prediction.photo_sha256, other.user_id != user_id)
    return select(Prediction.photo_sha256).where(Prediction.user_id == user_id, ~shared.exists())


def _line(kind: str, row: Any, names: tuple[str, ...]) -> bytes:
    return orjson.dumps({"kind": kind} | {name: getattr(row, name) for name in names}) + b"\n"
