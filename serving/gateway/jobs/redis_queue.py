"""The task queue on Redis Streams.

A task is a hash and an entry of the stream. The entry is acknowledged and removed only in the same step that
stores the result; the entry of a silent worker is claimed by another one. Steps that decide something are Lua
scripts: between a check and what follows from it nothing can happen.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Literal, TypeVar

import orjson
from redis.asyncio import Redis
from redis.exceptions import RedisError, ResponseError

from serving.gateway.jobs.queue import Depth, Task, queue_away, queue_full
from serving.gateway.settings import RedisSettings, TaskSettings

_STREAM, _GROUP = "phytoflow:tasks", "workers"
_TOMBSTONE_SECONDS = 7 * 86400  # an expired task is answered with 410 for this long
_UNAVAILABLE = (RedisError, OSError, TimeoutError)
_NO_GROUP = ("NOGROUP", "no such key")
_R = TypeVar("_R")
_FORGET = """
local function forget()
  redis.call('DEL', KEYS[2])
  redis.call('XACK', KEYS[3], ARGV[1], ARGV[2])
  redis.call('XDEL', KEYS[3], ARGV[2])
end
"""
_BEGIN = (
    _FORGET
    + """
if redis.call('HEXISTS', KEYS[1], 'user_id') == 0 or redis.call('HEXISTS', KEYS[1], 'result') == 1
    or redis.call('EXISTS', KEYS[2]) == 0 then
  forget()  -- finished, or erased by its user
  return false
end
redis.call('HSET', KEYS[1], 'state', 'running')
redis.call('HINCRBY', KEYS[1], 'attempts', 1)
return {redis.call('HGETALL', KEYS[1]), redis.call('GET', KEYS[2])}
"""
)
_FINISH = (
    _FORGET
    + """
forget()
if redis.call('HEXISTS', KEYS[1], 'user_id') == 0 or redis.call('HEXISTS', KEYS[1], 'result') == 1 then
  return 0
end
redis.call('HSET', KEYS[1], 'state', ARGV[3], 'result', ARGV[4])
redis.call('EXPIRE', KEYS[1], ARGV[5])
return 1
"""
)


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
        self._begin_script = self._redis.register_script(_BEGIN)
        self._finish_script = self._redis.register_script(_FINISH)
        self._ready, self._cursor = False, "0-0"

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
            if (await self.depth()).waiting >= self._settings.max_waiting:
                raise queue_full(self._settings.max_waiting)
            async with self._redis.pipeline(transaction=True) as pipe:
                pipe.hset(_key(task.id), mapping=fields)
                pipe.set(_photo(task.id), task.photo)
                pipe.set(_owner(task.id), task.user_id, ex=_TOMBSTONE_SECONDS + self._settings.result_seconds)
                now = task.created.timestamp()
                pipe.zadd(_tasks_of(task.user_id), {task.id: now})
                pipe.zremrangebyscore(_tasks_of(task.user_id), 0, now - _TOMBSTONE_SECONDS)
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
        for receipt, entry in await self._with_group(partial(self._next, seconds)):
            return await self._begin(receipt.decode(), entry[b"id"].decode())
        return None

    async def _next(self, seconds: float) -> list[tuple[bytes, dict[bytes, bytes]]]:
        """An entry of a silent worker, or else a new one."""
        lease = int(self._settings.lease_seconds * 1000)
        # Looks at ten entries in work at a time, and goes on from there in the next call.
        self._cursor, claimed, *_ = await self._redis.xautoclaim(
            _STREAM, _GROUP, self._consumer, lease, start_id=self._cursor, count=1
        )
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
        seconds = self._settings.result_seconds
        arguments: list[str | bytes | int] = [_GROUP, task.receipt, state, orjson.dumps(result), seconds]
        return bool(await self._finish_script(keys=_keys(task.id), args=arguments))

    async def depth(self) -> Depth:
        """See ``TaskQueue``.

        Finished entries are removed, so what is in the stream waits or was given to a worker. The group's own
        ``lag`` would be simpler, but Redis 7.0 does not know it once entries were removed.
        """
        length, pending, groups = await self._with_group(self._inspect)
        waiting = max(0, length - pending["pending"])
        (last,) = [group["last-delivered-id"] for group in groups if group["name"] == _GROUP.encode()]
        oldest = await self._redis.xrange(_STREAM, f"({last.decode()}", "+", count=1) if waiting else []
        if not oldest:
            return Depth(waiting, 0.0)
        written = int(oldest[0][0].split(b"-")[0]) / 1000
        return Depth(waiting, max(0.0, datetime.now(UTC).timestamp() - written))

    async def _inspect(self) -> list[Any]:
        async with self._redis.pipeline(transaction=True) as pipe:
            pipe.xlen(_STREAM)
            pipe.xpending(_STREAM, _GROUP)
            pipe.xinfo_groups(_STREAM)
            return list(await pipe.execute())

    async def sweep(self) -> None:
        """Redis forgets results by itself."""

    async def erase(self, user_id: str) -> None:
        """See ``TaskQueue``."""
        tasks = [task_id.decode() for task_id in await self._redis.zrange(_tasks_of(user_id), 0, -1)]
        names = [name for task_id in tasks for name in (_key(task_id), _photo(task_id), _owner(task_id))]
        await self._redis.delete(_tasks_of(user_id), *names)

    async def _begin(self, receipt: str, task_id: str) -> Task | None:
        found = await self._begin_script(keys=_keys(task_id), args=[_GROUP, receipt])
        if not found:
            return None
        flat, photo = found
        task = _task(task_id, dict(zip(flat[::2], flat[1::2], strict=True)))
        return replace(task, photo=photo, receipt=receipt)

    async def _with_group(self, work: Callable[[], Awaitable[_R]]) -> _R:
        """Does something with the group, which is made anew where Redis lost its data."""
        await self._make_group()
        try:
            return await work()
        except ResponseError as error:
            if not any(words in str(error) for words in _NO_GROUP):
                raise
        self._ready, self._cursor = False, "0-0"
        await self._make_group()
        return await work()

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


def _keys(task_id: str) -> list[str]:
    return [_key(task_id), _photo(task_id), _STREAM]


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
