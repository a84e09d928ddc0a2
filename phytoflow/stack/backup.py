"""Backup and restore: database, photos, keys and settings in one archive."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from phytoflow.errors import ConfigError, StorageError
from phytoflow.stack.control import read_state
from phytoflow.stack.layout import Layout
from phytoflow.stack.plan import Plan
from phytoflow.stack.programs import find_postgres
from phytoflow.storage.atomic import atomic_file, atomic_folder

_KEPT = ("issuer.json", "session.key", "plan.json", "secrets", "photos", "journal")
_SQLITE, _DUMP = "gateway.db", "gateway.dump"


def back_up(layout: Layout, archive: Path) -> None:
    """Writes an archive while the stack runs: a consistent copy of the database, then everything else.

    It holds keys and passwords, so it is readable for its owner only.

    Args:
        layout: The stack's folder.
        archive: File to write, tar with gzip.

    Raises:
        ConfigError: There is no stack.
        StorageError: The database cannot be read, or the file cannot be written.
    """
    plan = _plan(layout)
    with tempfile.TemporaryDirectory() as folder:
        database = _copy_database(layout, plan, Path(folder))
        with atomic_file(archive) as temporary:
            temporary.touch(mode=0o600)
            with tarfile.open(temporary, "w:gz") as tar:
                tar.add(database, database.name)
                for name in _KEPT:
                    if (layout.directory / name).exists():
                        tar.add(layout.directory / name, name)


def restore(layout: Layout, archive: Path) -> None:
    """Takes an archive's content back into a folder without a stack, or over a stack that is down.

    Raises:
        ConfigError: The stack is up, or the file is no backup.
        StorageError: The database cannot be written.
    """
    if read_state(layout).pid is not None:
        raise ConfigError(f"the stack in {layout.directory} is up", remedy="phytoflow stack down first")
    layout.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    with atomic_folder(layout.directory / "restored") as unpacked:
        try:
            with tarfile.open(archive, "r:gz") as tar:
                tar.extractall(unpacked, filter="data")
        except (tarfile.TarError, OSError) as error:
            raise ConfigError(
                f"{archive} is no backup: {error}", remedy="give a file of `stack backup`"
            ) from error
    unpacked = layout.directory / "restored"
    if not (unpacked / "plan.json").exists():
        shutil.rmtree(unpacked)
        raise ConfigError(f"{archive} is no backup of a stack", remedy="give a file of `stack backup`")
    for name in _KEPT:
        _replace(unpacked / name, layout.directory / name)
    if (unpacked / _SQLITE).exists():
        for suffix in ("-wal", "-shm"):
            (layout.directory / (_SQLITE + suffix)).unlink(missing_ok=True)
        _replace(unpacked / _SQLITE, layout.directory / _SQLITE)
    else:
        _restore_postgres(layout, _plan(layout), unpacked / _DUMP)
    shutil.rmtree(unpacked)


def _copy_database(layout: Layout, plan: Plan, folder: Path) -> Path:
    if not _uses_postgres(layout, plan):
        copy = folder / _SQLITE
        with sqlite3.connect(layout.directory / _SQLITE) as source, sqlite3.connect(copy) as target:
            source.backup(target)
        return copy
    dump = folder / _DUMP
    with _postgres(layout, plan) as (programs, connection, environment):
        command = [str(programs / "pg_dump"), *connection, "--format=custom", f"--file={dump}", "gateway"]
        _run(command, environment)
    return dump


def _restore_postgres(layout: Layout, plan: Plan, dump: Path) -> None:
    with _postgres(layout, plan) as (programs, connection, environment):
        _run([str(programs / "dropdb"), *connection, "--if-exists", "--force", "gateway"], environment)
        _run([str(programs / "createdb"), *connection, "gateway"], environment)
        _run([str(programs / "pg_restore"), *connection, "--dbname=gateway", str(dump)], environment)


@contextmanager
def _postgres(layout: Layout, plan: Plan) -> Iterator[tuple[Path, list[str], dict[str, str]]]:
    """The server's programs, how to reach it, and its password; it is started for the time if it is down."""
    from phytoflow.stack.stores import postgresql

    programs, service = find_postgres(), postgresql(layout, plan)
    if programs is None or service is None:
        raise StorageError(
            "this backup needs PostgreSQL, which is not installed", remedy="install postgresql"
        )
    connection = ["-h", "127.0.0.1", "-p", str(plan.ports["postgresql"]), "-U", "gateway"]
    environment = os.environ | {"PGPASSWORD": layout.secret("postgresql")}
    if service.health():
        yield programs, connection, environment
        return
    from phytoflow.stack.once import running

    with running(service, layout):
        yield programs, connection, environment


def _uses_postgres(layout: Layout, plan: Plan) -> bool:
    return "postgresql" not in plan.without and (layout.directory / "postgresql" / "PG_VERSION").exists()


def _plan(layout: Layout) -> Plan:
    plan = Plan.read(layout)
    if plan is None:
        raise ConfigError(f"there is no stack in {layout.directory}", remedy="phytoflow stack up makes one")
    return plan


def _replace(source: Path, target: Path) -> None:
    if not source.exists():
        return
    if target.is_dir():
        shutil.rmtree(target)
    source.replace(target)


def _run(command: list[str], environment: dict[str, str]) -> None:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        what = f"{Path(command[0]).name} failed: {done.stderr.strip()[-300:]}"
        raise StorageError(what, remedy="see that PostgreSQL runs and that the disk is not full")
