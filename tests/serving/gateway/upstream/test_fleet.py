"""Who is answered by which model."""

from __future__ import annotations

from phytoflow.rollout.settings import RolloutSettings
from serving.gateway.settings import UpstreamSettings
from serving.gateway.upstream.fleet import Fleet, Split, bucket

USERS = [f"user {number}" for number in range(10_000)]


def split(percent: int, rollout_id: str = "r") -> Split:
    return Split(rollout_id, percent, compares=True, settings=RolloutSettings())


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
