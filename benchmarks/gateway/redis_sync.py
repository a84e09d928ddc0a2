"""`python -m benchmarks.gateway.redis_sync`: what it costs that Redis waits for the disk before it answers.

Two Redis servers with an append-only file, one that syncs it every second and one that syncs it before each
answer. The limiter and the queue of tasks ask both in turns.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import typer
from redis import Redis
from redis.exceptions import RedisError

from phytoflow.protocol.prediction_id import new_id
from phytoflow.system.ports import free_port
from serving.gateway.jobs.queue import Task
from serving.gateway.jobs.redis_queue import RedisTaskQueue
from serving.gateway.limits.limiter import Limiter
from serving.gateway.settings import LimitSettings, RedisSettings, TaskSettings

_MODES = ("everysec", "always")
_PHOTO_BYTES = 200_000
_LIMIT = LimitSettings(photos_per_minute=1_000_000_000)
_TASKS = TaskSettings(max_waiting=1_000_000)


def main(
    count: Annotated[int, typer.Option(help="Requests of each kind to each server.")] = 500,
) -> None:
    """Prints the time of a count against the limit, and of putting a task."""
    asyncio.run(_run(count))


async def _run(count: int) -> None:
    with (
        tempfile.TemporaryDirectory() as folder,
        _redis(folder, _MODES[0]) as a,
        _redis(folder, _MODES[1]) as b,
    ):
        for mode, url in zip(_MODES, (a, b), strict=True):
            settings = RedisSettings(url=url)
            limiter, queue = Limiter(_LIMIT, settings), RedisTaskQueue(settings, _TASKS)
            takes = await _time(count, lambda limiter=limiter: limiter.take("user", 1))  # type: ignore[misc]
            puts = await _time(count, lambda queue=queue: queue.put(_task()))  # type: ignore[misc]
            await queue.close()
            for name, times in (("limit", takes), ("task", puts)):
                p50, p99 = np.percentile(times, [50, 99])
                typer.echo(f"appendfsync {mode:8} {name:5} p50 {p50:.2f} ms, p99 {p99:.2f} ms")


async def _time(count: int, work: Callable[[], Awaitable[object]]) -> list[float]:
    """Milliseconds of each call, after ten that are not counted."""
    times = []
    for _ in range(count + 10):
        start = time.perf_counter()
        await work()
        times.append((time.perf_counter() - start) * 1000)
    return times[10:]


def _task() -> Task:
    photo = np.random.default_rng(0).bytes(_PHOTO_BYTES)
    return Task(new_id(), "user", "queued", datetime.now(UTC), {"file_name": "leaf.jpg"}, photo)


@contextmanager
def _redis(folder: str, mode: str) -> Iterator[str]:
    program, port, data = shutil.which("redis-server"), free_port(), Path(folder) / mode
    if program is None:
        raise typer.BadParameter("no redis-server on PATH (Debian: apt-get install redis-server)")
    data.mkdir()
    command = [program, "--port", str(port), "--dir", str(data), "--appendonly", "yes"]
    command += ["--appendfsync", mode, "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        url = f"redis://127.0.0.1:{port}/0"
        _await(Redis.from_url(url))
        yield url
    finally:
        process.terminate()
        process.wait(30)


def _await(redis: Redis) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            redis.ping()
            return
        except RedisError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


if __name__ == "__main__":
    typer.run(main)
