"""Who is answered by which model."""

from __future__ import annotations

import asyncio

from aiohttp import web
from aiohttp.test_utils import TestServer

from phytoflow.rollout.settings import RolloutSettings
from serving.gateway.settings import UpstreamSettings
from serving.gateway.upstream.fleet import Fleet, Split, bucket

USERS = [f"user {number}" for number in range(10_000)]


def split(percent: int, rollout_id: str = "r") -> Split:
    return Split(rollout_id, percent, RolloutSettings())


async def test_the_share_of_users_is_exact_to_a_point_and_sticky() -> None:
    fleet = Fleet(UpstreamSettings())
    await fleet.point("http://a", "http://b", split(25))
    first = {user for user in USERS if fleet.choose(user)[1] == "challenger"}
    assert abs(len(first) / len(USERS) - 0.25) < 0.01
    await fleet.point("http://a", "http://b", split(50))
    assert first <= {user for user in USERS if fleet.choose(user)[1] == "challenger"}
    await fleet.close()


def test_another_rollout_takes_other_users() -> None:
    both = sum(bucket(user, "one") < 2500 and bucket(user, "two") < 2500 for user in USERS)
    assert 0.04 < both / len(USERS) < 0.09


async def test_connections_to_the_same_predictor_stay() -> None:
    fleet = Fleet(UpstreamSettings(champion="http://a"))
    await fleet.open()
    kept = fleet.champion
    await fleet.point("http://b", "http://a", split(1))
    assert fleet.challenger is kept and fleet.champion.url == "http://b"
    assert fleet.other("champion") is kept and fleet.other("challenger") is fleet.champion
    fleet.halt()
    assert fleet.other("champion") is None and fleet.choose("anna")[1] == "champion"
    await fleet.close()


async def test_requests_in_progress_are_answered_by_a_predictor_that_is_left_out() -> None:
    begun, finish = asyncio.Event(), asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        begun.set()
        await finish.wait()
        return web.Response()

    application = web.Application()
    application.router.add_get("/v2/models/leaf/ready", answer)
    async with TestServer(application) as server:
        fleet = Fleet(UpstreamSettings())
        await fleet.point("http://a", str(server.make_url("")), split(50))
        assert fleet.challenger
        asking = asyncio.create_task(fleet.challenger.ready())
        await begun.wait()
        await fleet.point("http://a", "", None)
        await asyncio.sleep(0)  # what point left to do has begun
        finish.set()
        assert await asking
        await fleet.close()
