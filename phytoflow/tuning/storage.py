"""Where Optuna keeps a study: a SQLite file, a journal file, or a database that several workers share."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from phytoflow.errors import ConfigError
from phytoflow.tracking.links import without_secret

JOURNAL = "journal://"
"""Begins the address of a journal file, which several processes of a machine may write."""
_POSTGRESQL = "postgresql"
_DRIVER = "postgresql+pg8000"  # BSD licence, in the extra `train`
_LOCK = 5_068_143  # any number that no other program takes as a key of an advisory lock


def open_storage(address: str) -> BaseStorage:
    """Opens the storage of studies.

    Args:
        address: SQLAlchemy's address of a database, or ``journal://`` and a file.

    Raises:
        ConfigError: It cannot be opened.
    """
    with _explained(address):
        if address.startswith(JOURNAL):
            return JournalStorage(JournalFileBackend(address.removeprefix(JOURNAL)))
        # A trial may take hours, and a database may have been restarted since the last query.
        return RDBStorage(_with_driver(address), engine_kwargs={"pool_pre_ping": True})


@contextmanager
def open_one_at_a_time(address: str) -> Iterator[BaseStorage]:
    """Opens the storage while no other worker does; others wait.

    Raises:
        ConfigError: It cannot be opened.
    """
    with one_at_a_time(address):
        yield open_storage(address)


@contextmanager
def one_at_a_time(address: str) -> Iterator[None]:
    """Keeps other workers of a journal file or a PostgreSQL waiting; other databases have one worker.

    Raises:
        ConfigError: It cannot be opened.
    """
    with ExitStack() as stack:
        with _explained(address):
            if address.startswith(JOURNAL):
                lock = stack.enter_context(Path(address.removeprefix(JOURNAL)).open("a"))
                fcntl.flock(lock, fcntl.LOCK_EX)
            elif address.startswith(_POSTGRESQL):
                # Without a pool the session ends with the connection, and the lock with the session.
                engine = create_engine(_with_driver(address), poolclass=NullPool)
                connection = stack.enter_context(engine.connect())
                connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        yield


def _with_driver(address: str) -> str:
    return address.replace(f"{_POSTGRESQL}://", f"{_DRIVER}://", 1)


@contextmanager
def _explained(address: str) -> Iterator[None]:
    try:
        yield
    except (ImportError, ValueError, OSError, SQLAlchemyError) as error:
        what = f"cannot open the study at {without_secret(address)}: {type(error).__name__}"
        remedy = "check the address, and that the database answers and its driver is installed"
        raise ConfigError(what, remedy=remedy) from error
