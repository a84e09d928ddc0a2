"""Programs of other projects that the stack uses where they are installed."""

from __future__ import annotations

import os
import pwd
import shutil
from pathlib import Path

_POSTGRES_FOLDERS = ("/usr/lib/postgresql", "/usr/pgsql", "/opt/homebrew/opt")
_POSTGRES_USER = "postgres"
_NEEDED = ("postgres", "initdb", "pg_isready", "createdb", "dropdb", "pg_dump", "pg_restore")


def find_program(name: str) -> str | None:
    """Path of a program; None if it is not installed."""
    return shutil.which(name)


def find_postgres() -> Path | None:
    """Folder of PostgreSQL's server programs; None if it is not installed, or root could not run it."""
    if os.geteuid() == 0 and not (_postgres_user_exists() and shutil.which("setpriv")):
        return None
    on_path = [Path(program).resolve().parent] if (program := shutil.which("postgres")) else []
    installed = sorted(
        (path for root in _POSTGRES_FOLDERS for path in Path(root).glob("*/bin")), reverse=True
    )
    return next((one for one in [*on_path, *installed] if all((one / p).exists() for p in _NEEDED)), None)


def as_postgres_user(folder: Path) -> list[str]:
    """What goes before a command of PostgreSQL, which refuses to run as root; gives its user the folder."""
    if os.geteuid() != 0:
        return []
    shutil.chown(folder, _POSTGRES_USER, _POSTGRES_USER)
    return ["setpriv", f"--reuid={_POSTGRES_USER}", f"--regid={_POSTGRES_USER}", "--clear-groups"]


def _postgres_user_exists() -> bool:
    try:
        pwd.getpwnam(_POSTGRES_USER)
    except KeyError:
        return False
    return True
