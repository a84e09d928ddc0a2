"""Generated passwords as files, for compose.yaml and for a Secret on a cluster."""

from __future__ import annotations

import secrets
from pathlib import Path

from phytoflow.storage.atomic import atomic_file

DATABASE_PASSWORD, DATABASE_URL = "database-password", "database-url"
REDIS_PASSWORD, REDIS_URL = "redis-password", "redis-url"


def write_passwords(directory: Path) -> None:
    """Writes passwords of PostgreSQL and Redis, and the URLs with them; existing files are kept.

    The URLs name the services as compose.yaml and the dev overlay do.

    Args:
        directory: Folder of the files; made if it is missing.

    Raises:
        StorageError: The folder cannot be written.
    """
    database = _keep_or_write(directory / DATABASE_PASSWORD, secrets.token_urlsafe(24))
    redis = _keep_or_write(directory / REDIS_PASSWORD, secrets.token_urlsafe(24))
    _keep_or_write(
        directory / DATABASE_URL, f"postgresql+asyncpg://gateway:{database}@postgresql:5432/gateway"
    )
    _keep_or_write(directory / REDIS_URL, f"redis://:{redis}@redis:6379/0")


def protect(directory: Path) -> None:
    """Closes the folder to other users of this machine.

    The files in it stay readable: compose mounts each of them into a container, whose user is another one
    and who does not pass through this folder.
    """
    directory.chmod(0o700)
    for file in directory.iterdir():
        file.chmod(0o644)


def _keep_or_write(file: Path, text: str) -> str:
    if file.exists():
        return file.read_text()
    with atomic_file(file) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(text)
    return text
