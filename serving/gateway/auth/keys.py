"""API keys: long-lived, revocable, stored as hashes."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from serving.gateway.auth.principal import Principal
from serving.gateway.log.database import Database
from serving.gateway.log.tables import ApiKey
from serving.gateway.problems import ProblemError

PREFIX = "pfk_"
_CACHE_SECONDS = 5.0  # a revoked key is refused everywhere after this long at the latest
_MAX_CACHED = 4096


class ApiKeys:
    """Makes, checks and revokes API keys.

    Args:
        database: Where their hashes are.
        clock: Seconds, monotonic.
    """

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._clock = database, clock
        self._checked: dict[str, tuple[float, Principal]] = {}

    async def create(
        self,
        user_id: str,
        user_name: str,
        name: str,
        scopes: Iterable[str],
        days: int | None = None,
    ) -> tuple[ApiKey, str]:
        """Makes a key.

        Args:
            user_id: Whose it is.
            user_name: Name of the user.
            name: What it is for, in the user's words.
            scopes: What it may do.
            days: Lifetime; None: until it is revoked.

        Returns:
            Its row, and the key itself, which is not stored and cannot be shown again.
        """
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        now = datetime.now(UTC)
        row = ApiKey(
            id=key_id,
            secret_sha256=_hash(secret),
            user_id=user_id,
            user_name=user_name,
            name=name[:100],
            scopes=" ".join(sorted(scopes)),
            created=now,
            expires=now + timedelta(days=days) if days else None,
        )
        async with self._database.session() as session:
            session.add(row)
        return row, f"{PREFIX}{key_id}_{secret}"

    async def verify(self, key: str) -> Principal:
        """The caller that a key stands for; raises ProblemError 401."""
        cached = self._checked.get(digest := _hash(key))
        if cached and cached[0] > self._clock():
            return cached[1]
        principal = await self._verify(key)
        if len(self._checked) >= _MAX_CACHED:
            self._checked.clear()
        self._checked[digest] = (self._clock() + _CACHE_SECONDS, principal)
        return principal

    async def list(self, user_id: str | None = None) -> list[ApiKey]:
        """Keys of a user, or of all, newest first."""
        query = select(ApiKey).order_by(ApiKey.created.desc())
        async with self._database.session() as session:
            return list(await session.scalars(query.where(ApiKey.user_id == user_id) if user_id else query))

    async def revoke(self, key_id: str, user_id: str | None = None) -> bool:
        """Revokes a key, of that user only if one is named; False if there is no such key."""
        query = update(ApiKey).where(ApiKey.id == key_id, ApiKey.revoked.is_(None))
        query = query.where(ApiKey.user_id == user_id) if user_id else query
        async with self._database.connection() as connection:
            done = await connection.execute(query.values(revoked=datetime.now(UTC)))
        self._checked.clear()
        return done.rowcount > 0

    async def _verify(self, key: str) -> Principal:
        key_id, _, secret = key.removeprefix(PREFIX).partition("_")
        async with self._database.session() as session:
            row = await session.get(ApiKey, key_id)
        # The hash is compared even where there is no such key: a wrong id takes as long as a wrong secret.
        matches = hmac.compare_digest(_hash(secret), row.secret_sha256 if row else _hash(""))
        now = datetime.now(UTC)
        if row is None or not matches or row.revoked or (row.expires and row.expires <= now):
            raise ProblemError(
                401,
                "invalid_key",
                "the API key is unknown, expired or revoked",
                remedy="make a new one on the console's Account page or with `phytoflow gateway keys create`",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return Principal(row.user_id, row.user_name, frozenset(row.scopes.split()), "key")


def _hash(secret: str) -> str:
    """Keys are 256 random bits: a fast hash cannot be searched."""
    return hashlib.sha256(secret.encode()).hexdigest()
