"""The gateway's database: SQLite on a laptop, PostgreSQL on a cluster."""

from __future__ import annotations

import asyncio
import fcntl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import orjson
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError, StatementError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, AsyncSession, create_async_engine

from phytoflow.errors import StorageError
from serving.gateway.log.tables import Base
from serving.gateway.settings import GatewaySettings

_MIGRATIONS = Path(__file__).with_name("migrations")
UNAVAILABLE = (SQLAlchemyError, OSError, TimeoutError)
"""What a database raises that is away, full or locked."""
_VALUE_STATES = ("22", "23")  # classes of SQLSTATE: data exceptions, and violated constraints


class Database:
    """Connections to the database.

    Args:
        url: SQLAlchemy URL with an asynchronous driver.
        pool_size: Connections kept; SQLite has one writer whatever is said.
    """

    def __init__(self, url: str, pool_size: int = 5) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        options: dict[str, Any] = {} if self.is_sqlite else {"pool_size": pool_size, "pool_pre_ping": True}
        if not self.is_sqlite:
            options["connect_args"] = {"timeout": 3, "command_timeout": 15}
        options |= {"json_serializer": _to_json, "json_deserializer": orjson.loads}
        self.engine: AsyncEngine = create_async_engine(self.url, **options)
        if self.is_sqlite:
            event.listen(self.engine.sync_engine, "connect", _prepare_sqlite)

    @classmethod
    def of(cls, settings: GatewaySettings) -> Database:
        """The database that the settings name."""
        return cls(settings.database_url, settings.database.pool_size)

    def insert(self, table: type[Base]) -> Any:
        """An INSERT of the dialect, which knows ``on_conflict_do_nothing`` and ``on_conflict_do_update``."""
        return (sqlite.insert if self.is_sqlite else postgresql.insert)(table)

    @asynccontextmanager
    async def session(self) -> AsyncIterator[AsyncSession]:
        """A transaction with the object mapper: committed at the end, rolled back on an error."""
        async with AsyncSession(self.engine, expire_on_commit=False) as session, session.begin():
            yield session

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A transaction without the object mapper."""
        async with self.engine.begin() as connection:
            yield connection

    async def answers(self, seconds: float = 2.0) -> bool:
        """Whether the database answers within the given seconds."""
        try:
            async with asyncio.timeout(seconds), self.engine.connect() as connection:
                await connection.execute(text("select 1"))
        except UNAVAILABLE:
            return False
        return True

    async def migrate(self, revision: str = "head") -> None:
        """Brings the tables to a revision, forwards or backwards; raises StorageError."""
        try:
            with self._alone():
                async with self.connection() as connection:
                    await connection.run_sync(_migrate, revision)
        except UNAVAILABLE as error:
            what = f"cannot migrate the database {self.url.render_as_string()}: {error}"
            raise StorageError(what, remedy="see that it runs and that its user may create tables") from error

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Processes that start together do not migrate the same SQLite file at once."""
        if not (self.is_sqlite and self.url.database):
            yield
            return
        path = Path(self.url.database)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_suffix(".migrating").open("ab") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    async def revision(self) -> str | None:
        """Revision of the tables; None for an empty database."""
        async with self.connection() as connection:
            return await connection.run_sync(
                lambda sync: MigrationContext.configure(sync).get_current_revision()
            )

    async def close(self) -> None:
        """Closes all connections."""
        await self.engine.dispose()


def refuses_values(error: BaseException) -> bool:
    """Whether an error is the database's answer to the values themselves: another attempt would fail, too."""
    if isinstance(error, DataError | IntegrityError):
        return True
    original = getattr(error, "orig", None)
    if str(getattr(original, "sqlstate", None) or "").startswith(_VALUE_STATES):
        return True
    if isinstance(error, StatementError) and not isinstance(error, DBAPIError):
        return True  # a value that its column type cannot convert
    return "binding parameter" in str(original)  # SQLite's driver


def newest_revision() -> str:
    """The revision that this code works with."""
    return str(ScriptDirectory.from_config(_configuration()).get_current_head())


def _to_json(value: Any) -> str:
    return orjson.dumps(value).decode()


def _configuration() -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    return config


def _migrate(connection: Connection, revision: str) -> None:
    config = _configuration()
    config.attributes["connection"] = connection
    current = MigrationContext.configure(connection).get_current_revision()
    order = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()][::-1]
    known = current in order and revision in order
    behind = revision == "base" or (known and order.index(str(current)) > order.index(revision))
    (command.downgrade if behind else command.upgrade)(config, revision)


def _prepare_sqlite(connection: Any, _: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")  # readers do not wait for the writer
    cursor.execute("PRAGMA synchronous=NORMAL")  # a killed process loses nothing; a power cut the last moment
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=5000")
    cursor.close()
