"""What every task queue promises, on SQLite, PostgreSQL and Redis."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from phytoflow.protocol.prediction_id import new_id
from serving.gateway.jobs.queue import Task, TaskQueue
from serving.gateway.jobs.redis_queue import RedisTaskQueue
from serving.gateway.jobs.sql_queue import SqlTaskQueue
from serving.gateway.log.database import Database
from serving.gateway.problems import ProblemError
from serving.gateway.settings import RedisSettings, TaskSettings

LEASE = 1.5  # a busy machine must not make four quick claims outlast it
SETTINGS = TaskSettings(lease_seconds=LEASE, max_waiting=5, result_seconds=2)


@pytest.fixture(params=["sqlite", "postgresql", "redis"])
async def queue(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[TaskQueue]:
    if request.param == "redis":
        redis = RedisTaskQueue(RedisSettings(url=request.getfixturevalue("redis").url), SETTINGS)
        await redis._redis.flushdb()
        yield redis
        await redis.close()
        return
    url = f"sqlite+aiosqlite:///{tmp_path / 'q.db'}"
    database = Database(url if request.param == "sqlite" else request.getfixturevalue("postgres").url)
    await database.migrate()
    yield SqlTaskQueue(database, SETTINGS)
    await database.migrate("base")
    await database.close()


def task(user: str = "u" * 32, photo: bytes = b"photo") -> Task:
    return Task(new_id(), user, "queued", datetime.now(UTC), {"file_name": "a.jpg"}, photo)


async def test_a_task_goes_from_queued_to_done(queue: TaskQueue) -> None:
    new = task()
    await queue.put(new)
    stored = await queue.get(new.id)
    assert stored and (stored.state, stored.user_id, stored.request) == ("queued", new.user_id, new.request)
    assert (await queue.depth()).waiting == 1
    claimed = await queue.claim(1)
    assert claimed and (claimed.id, claimed.photo, claimed.attempts) == (new.id, b"photo", 1)
    running = await queue.get(new.id)
    assert running and running.state == "running" and (await queue.depth()).waiting == 0
    assert await queue.finish(claimed, "done", {"answer": 42})
    done = await queue.get(new.id)
    assert done and (done.state, done.result) == ("done", {"answer": 42})
    assert await queue.claim(0.1) is None


async def test_each_task_comes_to_one_worker(queue: TaskQueue) -> None:
    new = [task() for _ in range(4)]
    for one in new:
        await queue.put(one)
    claimed = await asyncio.gather(*(queue.claim(1) for _ in range(4)))
    assert sorted(one.id for one in claimed if one) == sorted(one.id for one in new)


async def test_the_task_of_a_silent_worker_is_given_to_another(queue: TaskQueue) -> None:
    await queue.put(task())
    first = await queue.claim(1)
    assert first and await queue.claim(0.1) is None
    await asyncio.sleep(LEASE + 0.1)
    second = await queue.claim(1)
    assert second and second.id == first.id and second.attempts == 2
    assert await queue.finish(second, "done", {"by": 2})
    assert not await queue.finish(first, "done", {"by": 1})
    done = await queue.get(first.id)
    assert done and done.result == {"by": 2}


async def test_a_worker_that_shows_life_keeps_its_task(queue: TaskQueue) -> None:
    await queue.put(task())
    mine = await queue.claim(1)
    assert mine
    for _ in range(4):
        await asyncio.sleep(LEASE / 2)
        await queue.extend(mine)
    assert await queue.claim(0.1) is None


async def test_too_many_waiting_tasks_are_refused(queue: TaskQueue) -> None:
    for _ in range(5):
        await queue.put(task())
    with pytest.raises(ProblemError) as refused:
        await queue.put(task())
    assert refused.value.status == 503 and refused.value.headers["Retry-After"]
    assert (await queue.depth()).oldest_seconds < 10


async def test_a_result_expires_and_its_owner_is_still_known(queue: TaskQueue) -> None:
    new = task("o" * 32)
    await queue.put(new)
    claimed = await queue.claim(1)
    assert claimed
    await queue.finish(claimed, "failed", {"status": 422})
    await asyncio.sleep(2.2)
    await queue.sweep()
    gone = await queue.get(new.id)
    assert gone and (gone.state, gone.user_id, gone.result) == ("expired", "o" * 32, None)
    assert await queue.get("0" * 32) is None


async def test_a_users_tasks_are_erased(queue: TaskQueue) -> None:
    mine, other = task("m" * 32), task("n" * 32)
    await queue.put(mine)
    await queue.put(other)
    await queue.erase("m" * 32)
    assert await queue.get(mine.id) is None and await queue.get(other.id) is not None
    claimed = await queue.claim(1) or await queue.claim(1)
    assert claimed and claimed.id == other.id


async def test_a_queue_that_is_away_is_a_problem_not_a_crash() -> None:
    away = RedisTaskQueue(RedisSettings(url="redis://127.0.0.1:9/0", timeout_seconds=0.2), SETTINGS)
    sql = SqlTaskQueue(Database("postgresql+asyncpg://nobody@127.0.0.1:9/none"), SETTINGS)
    for queue in (away, sql):
        for call in (queue.put(task()), queue.get("0" * 32)):
            with pytest.raises(ProblemError) as error:
                await call
            assert error.value.status == 503


def test_a_task_is_compared_without_its_receipt() -> None:
    one = task()
    assert replace(one, receipt="1-0") == one
