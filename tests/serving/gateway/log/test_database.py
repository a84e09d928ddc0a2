"""Migrations on both kinds of database."""

import pytest

from phytoflow.errors import StorageError
from serving.gateway.log.database import Database, newest_revision
from serving.gateway.log.tables import Base


async def test_the_tables_of_the_migrations_are_those_of_the_code(database: Database) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    async with database.connection() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), Base.metadata)
        )
    assert differences == []


async def test_revisions_go_forwards_and_backwards(database: Database) -> None:
    assert await database.revision() == newest_revision()
    await database.migrate("base")
    assert await database.revision() is None
    await database.migrate()
    assert await database.revision() == newest_revision()


async def test_a_database_that_is_away_is_named() -> None:
    away = Database("postgresql+asyncpg://nobody:secret@127.0.0.1:9/none")
    assert not await away.answers()
    with pytest.raises(StorageError, match=r"127\.0\.0\.1:9/none") as error:
        await away.migrate()
    assert "secret" not in str(error.value)
