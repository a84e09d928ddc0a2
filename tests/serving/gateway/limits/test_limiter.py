"""Never more than the limit in any minute, never a refusal below it, over several replicas."""

from __future__ import annotations

import re
import threading
import time
from collections import Counter, defaultdict, deque

import httpx
import numpy as np
import pytest

from serving.gateway.limits.limiter import Limiter, Quota
from serving.gateway.metrics import REGISTRY
from serving.gateway.problems import ProblemError
from serving.gateway.settings import LimitSettings, RedisSettings
from tests.support.golden import PHOTOS, SERVED
from tests.support.services.databases import RunningServer, redis_server
from tests.support.services.gateway import start_gateway
from tests.support.services.servers import Server

PHOTO = (PHOTOS / SERVED[0]).read_bytes()
SHARED = LimitSettings(photos_per_minute=10, replicas=3)


class Clock:
    """A time of its own, in place of ``time.time`` and ``time.monotonic``."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = time.time()
        monkeypatch.setattr(time, "time", lambda: self.now)

    def __call__(self) -> float:
        return self.now


async def allowed(limiter: Limiter, user: str, photos: int = 1) -> bool:
    try:
        await limiter.take(user, photos)
    except ProblemError as error:
        assert error.status == 429
        return False
    return True


async def test_a_moving_window_over_three_replicas(
    redis: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Random users, replicas and pauses: each answer is what a count over the last minute says."""
    await simulate(redis, monkeypatch, requests=3000, users=20)


async def simulate(
    redis: RunningServer, monkeypatch: pytest.MonkeyPatch, *, requests: int, users: int
) -> None:
    clock, rng = Clock(monkeypatch), np.random.default_rng(1)
    replicas = [Limiter(SHARED, RedisSettings(url=redis.url, timeout_seconds=30), clock) for _ in range(3)]
    taken: dict[str, deque[float]] = defaultdict(deque)
    pauses = rng.exponential(60 / (users * 14), requests)  # asked for somewhat more often than is allowed
    for pause, user, replica in zip(
        pauses, rng.integers(users, size=requests), rng.integers(3, size=requests), strict=True
    ):
        clock.now += float(pause)
        name, photos = f"simulated-{user}-{requests}", int(rng.choice([1, 1, 1, 4]))
        window = taken[name]
        while window and window[0] < clock.now - 60:  # one that is just 60 s old still counts
            window.popleft()
        fits = len(window) + photos <= 10
        assert await allowed(replicas[replica], name, photos) == fits
        if fits:
            window.extend([clock.now] * photos)


async def test_a_refusal_says_when_to_come_back(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock(monkeypatch)
    limiter = Limiter(LimitSettings(photos_per_minute=3), RedisSettings(), clock)
    assert (await limiter.take("anna", 2)).headers() == {
        "RateLimit-Policy": '"photos";q=3;w=60',
        "RateLimit": '"photos";r=1;t=60',
    }
    clock.now += 20
    with pytest.raises(ProblemError) as refused:
        await limiter.take("anna", 2)
    assert refused.value.headers["Retry-After"] == "40"
    assert await limiter.quota("anna") == Quota(3, 1, 40)
    clock.now += 41
    assert await allowed(limiter, "anna", 3)
    with pytest.raises(ProblemError, match="more than 3"):
        await limiter.take("ben", 4)
    assert await limiter.quota("ben") == Quota(3, 3, 0)


async def test_without_redis_each_replica_limits_its_share(
    redis: RunningServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    replicas = [Limiter(SHARED, RedisSettings(url=redis.url, timeout_seconds=1), clock) for _ in range(3)]
    for limiter in replicas:
        assert await allowed(limiter, "away", 3)
    redis.kill()
    try:
        clock.now += 61
        got = [await allowed(limiter, "away") for limiter in replicas for _ in range(5)]
        assert got == [True, True, True, False, False] * 3
        assert REGISTRY.get_sample_value("gateway_limiter_degraded") == 1
        assert not await replicas[0].ready()
    finally:
        redis.start()
    clock.now += 5  # Redis is back, but knows nothing of the photos in between
    assert not await allowed(replicas[0], "away")
    clock.now += 61
    assert await allowed(replicas[0], "away", 9) and await replicas[0].ready()
    assert REGISTRY.get_sample_value("gateway_limiter_degraded") == 0


def test_redis_killed_under_load_costs_no_answer(
    predictor: Server, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Eight clients go on while Redis is killed and comes back: no 5xx, and the fallback is counted."""
    folder = tmp_path_factory.mktemp("limited")
    redis = redis_server(folder)
    gateway = start_gateway(folder, predictor.url, redis__url=redis.url, limits__photos_per_minute=100_000)
    statuses: Counter[int] = Counter()
    stop = threading.Event()

    def ask() -> None:
        with gateway.client() as client:
            while not stop.is_set():
                statuses[client.post("/v1/predict", files={"file": ("a.jpg", PHOTO)}).status_code] += 1

    clients = [threading.Thread(target=ask) for _ in range(8)]
    for client in clients:
        client.start()
    for step in (lambda: None, redis.kill, redis.start):
        step()
        reached = sum(statuses.values()) + 100
        deadline = time.monotonic() + 60
        while sum(statuses.values()) < reached and time.monotonic() < deadline:
            time.sleep(0.02)
    stop.set()
    for client in clients:
        client.join()
    metrics = httpx.get(f"{gateway.url}/metrics").text
    gateway.stop()
    redis.stop()
    counted = re.search(r"^gateway_limiter_fallbacks_total (\S+)", metrics, re.M)
    assert set(statuses) == {200} and statuses[200] >= 300, statuses
    assert counted and float(counted[1]) > 50
