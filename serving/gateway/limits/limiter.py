"""Photos a minute for each user: an exact moving window, shared by all replicas through Redis."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import MovingWindowRateLimiter
from redis.exceptions import RedisError

from serving.gateway.metrics import LIMITED, LIMITER_DEGRADED, LIMITER_FALLBACKS
from serving.gateway.problems import ProblemError
from serving.gateway.settings import LimitSettings, RedisSettings

_LOG = logging.getLogger(__name__)
_WINDOW_SECONDS = 60
_RETRY_SECONDS = 2.0  # Redis that failed is asked again after this long, not by every request
_AWAY = (RedisError, OSError, TimeoutError, asyncio.TimeoutError)


@dataclass(frozen=True)
class Quota:
    """What a user has left.

    Attributes:
        limit: Photos in any window.
        remaining: Photos left now.
        reset: Seconds until the oldest photo of the window no longer counts; 0 if none counts.
        degraded: Whether Redis is away, so that only this replica's share is counted.
    """

    limit: int
    remaining: int
    reset: int
    degraded: bool = False

    def headers(self) -> dict[str, str]:
        """The IETF's rate-limit header fields (draft-ietf-httpapi-ratelimit-headers)."""
        return {
            "RateLimit-Policy": f'"photos";q={self.limit};w={_WINDOW_SECONDS}',
            "RateLimit": f'"photos";r={self.remaining};t={self.reset}',
        }


class Limiter:
    """Counts the photos of each user.

    While Redis is away each replica allows its share of the limit, counted in its own memory; so it does for
    one more window after Redis is back, because Redis knows nothing of the photos in between.

    Args:
        settings: The limit and the number of replicas.
        redis: Where the counts are shared; without a URL they are this process's own.
        clock: Seconds, monotonic.
    """

    def __init__(
        self, settings: LimitSettings, redis: RedisSettings, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = RateLimitItemPerMinute(settings.photos_per_minute)
        share = max(1, settings.photos_per_minute // settings.replicas)
        self._share = RateLimitItemPerMinute(share)
        self._local = MovingWindowRateLimiter(MemoryStorage())
        self._shared = _connect(redis) if redis.url else None
        self._timeout, self._clock = redis.timeout_seconds, clock
        self._asked_again, self._share_until = -math.inf, -math.inf

    async def take(self, user_id: str, photos: int) -> Quota:
        """Counts photos against the user's limit.

        Raises:
            ProblemError: 429 if the limit does not allow them; nothing is counted then.
        """
        if self._shared is None:
            return await self._hit(self._local, self._limit, user_id, photos)
        quota = None
        if self._clock() >= self._asked_again:
            quota = await self._try_shared(user_id, photos)
        if quota is None or self._clock() < self._share_until:
            LIMITER_FALLBACKS.inc()
            return await self._hit(self._local, self._share, user_id, photos, degraded=True)
        return quota

    async def quota(self, user_id: str) -> Quota:
        """What the user has left; counts nothing."""
        if self._shared is not None and self._clock() >= self._share_until:
            try:
                async with asyncio.timeout(self._timeout):
                    return await self._stats(self._shared, self._limit, user_id)
            except _AWAY:
                pass
        alone = self._shared is None
        return await self._stats(
            self._local, self._limit if alone else self._share, user_id, degraded=not alone
        )

    async def ready(self) -> bool:
        """Whether Redis answers; True if there is none."""
        if self._shared is None:
            return True
        try:
            async with asyncio.timeout(self._timeout):
                return bool(await self._shared.storage.check())
        except _AWAY:
            return False

    async def _try_shared(self, user_id: str, photos: int) -> Quota | None:
        assert self._shared is not None
        try:
            async with asyncio.timeout(self._timeout):
                quota = await self._hit(self._shared, self._limit, user_id, photos)
        except _AWAY as error:
            if self._clock() >= self._share_until:
                _LOG.warning("Redis is away, each replica limits its share: %s", type(error).__name__)
            self._asked_again = self._clock() + _RETRY_SECONDS
            self._share_until = self._clock() + _WINDOW_SECONDS
            LIMITER_DEGRADED.set(1)
            return None
        if self._clock() >= self._share_until:
            LIMITER_DEGRADED.set(0)
        return quota

    async def _hit(
        self,
        limiter: MovingWindowRateLimiter,
        limit: RateLimitItemPerMinute,
        user_id: str,
        photos: int,
        *,
        degraded: bool = False,
    ) -> Quota:
        allowed = await limiter.hit(limit, user_id, cost=photos)
        quota = await self._stats(limiter, limit, user_id, degraded=degraded)
        if not allowed:
            LIMITED.inc()
            raise _too_many(quota, photos)
        return quota

    async def _stats(
        self,
        limiter: MovingWindowRateLimiter,
        limit: RateLimitItemPerMinute,
        user_id: str,
        *,
        degraded: bool = False,
    ) -> Quota:
        stats = await limiter.get_window_stats(limit, user_id)
        used = stats.remaining < limit.amount
        reset = max(0, math.ceil(stats.reset_time - time.time())) if used else 0
        return Quota(limit.amount, max(0, stats.remaining), reset, degraded)


def _connect(redis: RedisSettings) -> MovingWindowRateLimiter:
    seconds = redis.timeout_seconds
    storage = RedisStorage(
        f"async+{redis.url}",
        implementation="redispy",
        key_prefix="phytoflow-limits",
        socket_timeout=seconds,
        socket_connect_timeout=seconds,
    )
    return MovingWindowRateLimiter(storage)


def _too_many(quota: Quota, photos: int) -> ProblemError:
    wait = str(max(1, quota.reset))
    remedy = (
        f"try again in {wait} s" if photos <= quota.limit else f"send at most {quota.limit} photos at once"
    )
    return ProblemError(
        429,
        "rate_limited",
        f"{photos} photo{'s' if photos > 1 else ''} would be more than {quota.limit} in 60 seconds; "
        f"{quota.remaining} are left",
        remedy=remedy,
        headers=quota.headers() | {"Retry-After": wait},
    )
