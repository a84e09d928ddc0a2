"""API keys."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from serving.gateway.auth.keys import PREFIX, ApiKeys
from serving.gateway.log.database import Database
from serving.gateway.log.tables import ApiKey
from serving.gateway.problems import ProblemError


async def refused(keys: ApiKeys, key: str) -> bool:
    try:
        await keys.verify(key)
    except ProblemError as error:
        return error.status == 401
    return False


async def test_a_key_stands_for_its_user(database: Database) -> None:
    keys = ApiKeys(database)
    row, key = await keys.create("u" * 32, "Anna", "notebook", ["predict"])
    principal = await keys.verify(key)
    assert (principal.user_id, principal.name, principal.scopes) == ("u" * 32, "Anna", {"predict"})
    secret = key.removeprefix(f"{PREFIX}{row.id}_")  # may contain underscores
    assert key.startswith(PREFIX) and secret not in str(vars(row))


async def test_wrong_keys_are_refused(database: Database) -> None:
    keys = ApiKeys(database)
    row, key = await keys.create("u" * 32, "Anna", "notebook", ["predict"])
    for wrong in (
        key[:-1],
        key + "x",
        f"{PREFIX}{row.id}_",
        f"{PREFIX}000000000000_abc",
        PREFIX,
        f"{PREFIX}{row.secret_sha256}",
    ):
        assert await refused(keys, wrong), wrong


async def test_a_revoked_key_is_refused_by_other_replicas_within_seconds(database: Database) -> None:
    now = [0.0]
    here, there = ApiKeys(database, lambda: now[0]), ApiKeys(database, lambda: now[0])
    row, key = await here.create("u" * 32, "Anna", "notebook", ["predict"])
    await there.verify(key)
    assert not await here.revoke(row.id, "v" * 32)  # another user's
    assert await here.revoke(row.id, "u" * 32) and not await here.revoke(row.id, "u" * 32)
    assert await refused(here, key)
    now[0] += 5.1
    assert await refused(there, key)


async def test_an_expired_key_is_refused(database: Database) -> None:
    keys = ApiKeys(database)
    row, key = await keys.create("u" * 32, "Anna", "notebook", ["predict"], days=1)
    async with database.connection() as connection:
        await connection.execute(update(ApiKey).values(expires=row.created))
    assert await refused(keys, key)


async def test_a_user_lists_ones_own(database: Database) -> None:
    keys = ApiKeys(database)
    await keys.create("u" * 32, "Anna", "one", ["predict"])
    await keys.create("v" * 32, "Ben", "two", ["predict"])
    assert [row.name for row in await keys.list("u" * 32)] == ["one"]
    assert len(await keys.list()) == 2


@pytest.mark.parametrize("key", ["", "pfk", "pfk_" + "ä" * 5])
async def test_nonsense_is_refused(database: Database, key: str) -> None:
    assert await refused(ApiKeys(database), key)
