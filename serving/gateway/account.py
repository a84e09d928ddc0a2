"""A user's data: exported whole, and erased."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import orjson
from sqlalchemy import delete, func, select

from serving.gateway.log import queries
from serving.gateway.log.tables import ApiKey, DailyUser, Feedback, Prediction
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

    Photos that another user sent, too, stay. The counts by class and hour stay: they name nobody.

    Returns:
        How many of each were removed.
    """
    await services.log.flush()
    await services.tasks.erase(user_id)
    database, removed = services.database, {"photos": 0}
    async with database.connection() as connection:
        others = select(Prediction.photo_sha256).where(Prediction.user_id != user_id)
        mine = select(Prediction.photo_sha256).where(
            Prediction.user_id == user_id, Prediction.photo_sha256.not_in(others)
        )
        hashes = {digest for (digest,) in await connection.execute(mine) if digest}
        for name, table in (("feedback", Feedback), ("api_keys", ApiKey), ("predictions", Prediction)):
            condition = table.user_id == user_id
            removed[name] = int(
                (await connection.execute(select(func.count()).where(condition))).scalar_one()
            )
            await connection.execute(delete(table).where(condition))
        await connection.execute(delete(DailyUser).where(DailyUser.user_id == user_id))
    for digest in hashes:
        await services.photos.remove(digest)
        removed["photos"] += 1
    return removed


def _line(kind: str, row: Any, names: tuple[str, ...]) -> bytes:
    return orjson.dumps({"kind": kind} | {name: getattr(row, name) for name in names}) + b"\n"
