"""A name server that is away does not take the predictor away."""

from __future__ import annotations

import asyncio
import socket

import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from aiohttp.resolver import ThreadedResolver

from serving.gateway.settings import UpstreamSettings
from serving.gateway.upstream import stale_resolver
from serving.gateway.upstream.predictor import Predictor
from serving.gateway.upstream.stale_resolver import StaleResolver
from tests.support.services.servers import Server

AWAY = socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
GONE = socket.gaierror(socket.EAI_NONAME, "Name or service not known")
DAY = 86400


class Failing(AbstractResolver):
    """Asks the machine's own resolver until it is told to fail, or to hang."""

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()
        self.error: OSError | None = None
        self.hangs = False

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if self.hangs:
            await asyncio.Event().wait()
        if self.error:
            raise self.error
        return await self._resolver.resolve(host, port, family)

    async def close(self) -> None:
        await self._resolver.close()


async def test_the_last_address_is_used_while_the_name_server_fails_or_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stale_resolver, "_PATIENCE_SECONDS", 0.05)
    names = Failing()
    resolver = StaleResolver(names)
    first = await resolver.resolve("localhost", 80)
    names.error = AWAY
    assert await resolver.resolve("localhost", 80) == first
    names.error, names.hangs = None, True
    assert await resolver.resolve("localhost", 80) == first
    with pytest.raises(TimeoutError):  # nothing is known of this one: the caller's patience counts
        async with asyncio.timeout(0.2):
            await resolver.resolve("localhost", 81)


async def test_without_a_known_address_the_failure_is_the_answer() -> None:
    names = Failing()
    names.error = AWAY
    with pytest.raises(socket.gaierror):
        await StaleResolver(names).resolve("localhost", 80)


async def test_a_name_that_no_longer_exists_is_forgotten() -> None:
    names = Failing()
    resolver = StaleResolver(names)
    await resolver.resolve("localhost", 80)
    for error in (GONE, AWAY):
        names.error = error
        with pytest.raises(socket.gaierror):
            await resolver.resolve("localhost", 80)


async def test_an_address_of_yesterday_is_not_used() -> None:
    names, now = Failing(), 0.0
    resolver = StaleResolver(names, lambda: now)
    first = await resolver.resolve("localhost", 80)
    names.error, now = AWAY, DAY
    assert await resolver.resolve("localhost", 80) == first
    now = DAY + 1
    with pytest.raises(socket.gaierror):
        await resolver.resolve("localhost", 80)


async def test_the_predictor_is_reached_over_new_connections(
    predictor: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = Predictor(predictor.url.replace("127.0.0.1", "localhost"), UpstreamSettings())
    await connection.open()
    assert await connection.ready()

    async def fail(*_: object) -> list[ResolveResult]:
        raise AWAY

    monkeypatch.setattr(ThreadedResolver, "resolve", fail)
    assert connection._session is not None
    connection._session.connector.clear_dns_cache()  # type: ignore[union-attr]
    # One of them has the kept connection; the others need new ones.
    assert all(await asyncio.gather(*(connection.ready() for _ in range(3))))
    await connection.close()
