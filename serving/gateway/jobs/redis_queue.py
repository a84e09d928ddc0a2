"""The task queue on Redis Streams.

A task is a hash and an entry of the stream. The entry is acknowledged only in the same transaction that
stores the result; the entry of a silent worker is claimed by another one.
"""

from __future__ import annotations

import os
import socket
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from serving.gateway.jobs.queue import Depth, Task, queue_away, queue_full
from serving.gateway.settings import RedisSettings, TaskSettings

_STREAM, _GROUP = "phytoflow:tasks", "workers"
_TOMBSTONE_SECONDS = 7 * 86400  # an expired task is answered with 410 for this long
_UNAVAILABLE = (RedisError, OSError, TimeoutError)


class RedisTaskQueue:
    """See ``queue.TaskQueue``.

    Args:
        redis: Where the stream is; it should write its log to disk (``appendonly yes``).
        settings: Lease, lifetime and bounds.
    """

    def __init__(self, redis: RedisSettings, settings: TaskSettings) -> None:
        self._settings = settings
        self._consumer = f"{socket.gethostname()}-{os.getpid()}"
        # Any: redis-py's types cover both protocols and both ways to decode.
        self._redis: Any = Redis.from_url(
            redis.url, protocol=2, socket_connect_timeout=redis.timeout_seconds, socket_timeout=15
        )
        self._ready = False

    async def open(self) -> None:
        """Does nothing: first use creates the stream, as Redis may be unreachable at startup."""

    async def close(self) -> None:
        """See ``TaskQueue``."""
        await self._redis.aclose()

    async def put(self, task: Task) -> None:
        """See ``TaskQueue``."""
        fields = {
            "user_id": task.user_id,
            "state": "queued",
            "created": task.created.timestamp(),
            "request": orjson.dumps(task.request),
            "attempts": 0,
        }
        try:
            await self._make_group()
            if (await self.depth()).waiting >= self._settings.max_waiting:
                raise queue_full(self._settings.max_waiting)
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hset(_key(task.id), mapping=fields)
                pipe.set(_photo(task.id), task.photo)
                pipe.set(_owner(task.id), task.user_id, ex=_TOMBSTONE_SECONDS + self._settings.result_seconds)
                pipe.sadd(_tasks_of(task.user_id), task.id)
                pipe.expire(_tasks_of(task.user_id), _TOMBSTONE_SECONDS)
                pipe.xadd(_STREAM, {"id": task.id})
                await pipe.execute()
        except _UNAVAILABLE as error:
            raise queue_away(error) from error

    async def get(self, task_id: str) -> Task | None:
        """See ``TaskQueue``."""
        try:
            fields = await self._redis.hgetall(_key(task_id))
            if not fields and (owner := await self._redis.get(_owner(task_id))):
                now = datetime.now(UTC)
                return Task(task_id, owner.decode(), "expired", now, {})
        except _UNAVAILABLE as error:
            raise queue_away(error) from error
        return _task(task_id, fields) if fields else None

    async def claim(self, seconds: float) -> Task | None:
        """See ``TaskQueue``."""
        await self._make_group()
        try:
            claimed = await self._next(seconds)
        except ResponseError:
            self._ready = False  # Redis lost its data: the group is made anew
            raise
        for receipt, entry in claimed:
            return await self._begin(receipt.decode(), entry[b"id"].decode())
        return None

    async def _next(self, seconds: float) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """An entry of a silent worker, or else a new one."""
        lease = int(self._settings.lease_seconds * 1000)
        _, claimed, *_ = await self._redis.xautoclaim(_STREAM, _GROUP, self._consumer, lease, count=1)
        if not claimed:
            # Blocks inside Redis; the socket's own timeout is longer.
            block = max(1, int(seconds * 1000))
            streams = await self._redis.xreadgroup(
                _GROUP, self._consumer, {_STREAM: ">"}, count=1, block=block
            )
            claimed = streams[0][1] if streams else []
        return list(claimed)

    async def extend(self, task: Task) -> None:
        """See ``TaskQueue``; claiming one's own entry resets its idle time."""
        await self._redis.xclaim(_STREAM, _GROUP, self._consumer, 0, [task.receipt], justid=True)

    async def finish(self, task: Task, state: Literal["done", "failed"], result: dict[str, Any]) -> bool:
        """See ``TaskQueue``."""
        first = await self._redis.hsetnx(_key(task.id), "finished", state)
        async with self._redis.pipeline(transaction=True) as pipe:
            if first or not await self._redis.hexists(_key(task.id), "result"):
                pipe.hset(_key(task.id), mapping={"state": state, "result": orjson.dumps(result)})
                pipe.expire(_key(task.id), self._settings.result_seconds)
            pipe.delete(_photo(task.id))
            pipe.xack(_STREAM, _GROUP, task.receipt)
            pipe.xdel(_STREAM, task.receipt)
            await pipe.execute()
        return bool(first)

    async def depth(self) -> Depth:
        """See ``TaskQueue``."""
        try:
            await self._make_group()
            (group,) = [g for g in await self._redis.xinfo_groups(_STREAM) if g["name"] == _GROUP.encode()]
            waiting = int(group["lag"] or 0)
            if not waiting:
                return Depth(0, 0.0)
            after = group["last-delivered-id"].decode()
            ((entry, _),) = await self._redis.xrange(_STREAM, f"({after}", "+", count=1)
        except (ValueError, *_UNAVAILABLE) as error:
            if isinstance(error, ValueError):
                return Depth(0, 0.0)
            raise
        return Depth(waiting, max(0.0, datetime.now(UTC).timestamp() - int(entry.split(b"-")[0]) / 1000))

    async def sweep(self) -> None:
        """Redis forgets results by itself."""

    async def erase(self, user_id: str) -> None:
        """See ``TaskQueue``."""
        tasks = [task_id.decode() for task_id in await self._redis.smembers(_tasks_of(user_id))]
        names = [name for task_id in tasks for name in (_key(task_id), _photo(task_id), _owner(task_id))]
        await self._redis.delete(_tasks_of(user_id), *names)

    async def _begin(self, receipt: str, task_id: str) -> Task | None:
        fields, photo = await self._redis.hgetall(_key(task_id)), await self._redis.get(_photo(task_id))
        if not fields or b"result" in fields or photo is None:  # finished, or erased by its user
            await self._redis.xack(_STREAM, _GROUP, receipt)
            await self._redis.xdel(_STREAM, receipt)
            return None
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.hset(_key(task_id), "state", "running")
            pipe.hincrby(_key(task_id), "attempts", 1)
            _, attempts = await pipe.execute()
        task = _task(task_id, fields | {b"state": b"running", b"attempts": str(attempts).encode()})
        return Task(**{**vars(task), "photo": photo, "receipt": receipt})

    async def _make_group(self) -> None:
        if self._ready:
            return
        try:
            await self._redis.xgroup_create(_STREAM, _GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise
        self._ready = True


def _key(task_id: str) -> str:
    return f"phytoflow:task:{task_id}"


def _photo(task_id: str) -> str:
    return f"phytoflow:task:{task_id}:photo"


def _owner(task_id: str) -> str:
    return f"phytoflow:task:{task_id}:owner"


def _tasks_of(user_id: str) -> str:
    return f"phytoflow:user:{user_id}:tasks"


def _task(task_id: str, fields: dict[bytes, bytes]) -> Task:
    return Task(
        id=task_id,
        user_id=fields[b"user_id"].decode(),
        state=fields[b"state"].decode(),  # type: ignore[arg-type]
        created=datetime.fromtimestamp(float(fields[b"created"]), UTC),
        request=orjson.loads(fields[b"request"]),
        result=orjson.loads(fields[b"result"]) if b"result" in fields else None,
        attempts=int(fields.get(b"attempts", b"0")),
    )
