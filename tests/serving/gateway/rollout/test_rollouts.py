"""Rollouts end to end: real gateways before real predictors."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.gateway.log.database import Database
from tests.serving.gateway.rollout.conftest import PHOTOS
from tests.support.services.databases import RunningServer
from tests.support.services.gateway import RunningGateway, start_gateway
from tests.support.services.servers import Server, running
from tests.support.services.slow_proxy import slow_proxy

QUICK = {"min_pairs": 4, "watch_pairs": 4, "canary_percents": [50], "margin": 1.0}
LENIENT = {"expected_disagreements": 0.95, "bad_disagreements": 0.99, "max_shift": 1.0}
UNHURRIED = {"slow_factor": 50.0}  # two equal models on a busy machine


@pytest.fixture
def service(champion: Server, tmp_path: Path) -> Iterator[RunningGateway]:
    """A gateway without an earlier rollout."""
    running_gateway = start_gateway(tmp_path, champion.url)
    yield running_gateway
    running_gateway.stop()


@pytest.fixture
def admin(service: RunningGateway) -> Iterator[httpx.Client]:
    with service.client("ada", "predict feedback review admin") as client:
        yield client


def start(admin: httpx.Client, challenger: str, **settings: object) -> None:
    body = {"challenger": challenger, "settings": QUICK | UNHURRIED | settings}
    answer = admin.post("/v1/rollouts", json=body)
    assert answer.status_code == 201, answer.text


def current(admin: httpx.Client) -> dict[str, Any]:
    answer = admin.get("/v1/rollouts/current")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ask(gateway: RunningGateway, user: str, photo: bytes) -> dict[str, Any]:
    with gateway.client(user) as client:
        answer = client.post("/v1/predict", content=photo, headers={"Content-Type": "image/jpeg"})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def ask_until(
    gateway: RunningGateway, admin: httpx.Client, done: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    """Users go on asking until the rollout has come somewhere."""
    deadline, number = time.monotonic() + 240, 0
    while not done(state := current(admin)):
        assert time.monotonic() < deadline, state
        ask(gateway, f"user {number % 20}", PHOTOS[number % len(PHOTOS)])
        number += 1
    return state


def version(gateway: RunningGateway, user: str) -> str:
    return str(ask(gateway, user, PHOTOS[0])["model"]["version"])


def is_at(stage: str) -> Callable[[dict[str, Any]], bool]:
    return lambda state: state["stage"] == stage


def test_an_equal_challenger_goes_all_the_way(
    service: RunningGateway, admin: httpx.Client, champion: Server, tmp_path: Path
) -> None:
    with slow_proxy(champion.url, 0.0) as twin:
        start(admin, twin)
        again = admin.post("/v1/rollouts", json={"challenger": twin})
        assert again.status_code == 409 and again.json()["type"].endswith("rollout_active")
        state = ask_until(service, admin, is_at("promoted"))
        assert [(event["stage"], event["action"]) for event in state["events"]] == [
            ("shadow", "start"),
            ("shadow", "advance"),
            ("canary", "advance"),
            ("watch", "advance"),
        ]
        assert state["evidence"]["disagreements"] == 0 and state["evidence"]["shift"] < 1e-3
        replayed = admin.get("/v1/rollouts/current/replay").json()
        assert len(replayed) == 3 and all(one["same"] for one in replayed)
        service.stop()
        service.start()  # what was promoted stays promoted
        assert version(service, "anna")
        refused = admin.post("/v1/rollouts", json={"challenger": twin})
        assert refused.json()["type"].endswith("same_predictor")
        settled = admin.post("/v1/rollouts/current/settle").json()  # the two have the same version
        assert (settled["stage"], settled["events"][-1]["action"]) == ("settled", "settle")
    assert version(service, "anna")  # the twin is gone, and nobody needs it
    assert admin.post("/v1/rollouts/current/settle").json()["type"].endswith("not_promoted")


def test_users_stay_with_what_was_promoted_until_the_champion_has_it(
    service: RunningGateway, admin: httpx.Client, other: Server
) -> None:
    start(admin, other.url, **LENIENT)
    promoted = ""
    while current(admin)["stage"] != "promoted":
        promoted = version(service, "anna")
        admin.post("/v1/rollouts/current/promote")
    refused = admin.post("/v1/rollouts/current/settle")
    assert refused.status_code == 409 and refused.json()["type"].endswith("other_version")
    assert version(service, "anna") == promoted


def test_one_that_crashes_is_stopped_and_no_user_sees_it(
    service: RunningGateway, admin: httpx.Client, bundle: Path, tmp_path: Path
) -> None:
    with (
        pytest.raises(AssertionError),
        running(bundle, tmp_path / "log", model_name="leaf") as crashing,
    ):
        start(admin, crashing.url, **LENIENT, min_pairs=100000)
        ask_until(service, admin, lambda state: state["evidence"]["pairs"] > 0)
        admin.post("/v1/rollouts/current/promote")  # half of the users are answered by it
        crashing.process.kill()
        state = ask_until(service, admin, is_at("aborted"))
    assert 5 <= state["evidence"]["failures"] <= 20
    assert "failed on" in state["events"][-1]["reason"]


def test_one_that_is_slow_is_stopped(service: RunningGateway, admin: httpx.Client, champion: Server) -> None:
    with slow_proxy(champion.url, 0.15) as slow:
        start(admin, slow, min_pairs=1000, slow_factor=1.5)
        state = ask_until(service, admin, is_at("aborted"))
    assert "slow on" in state["events"][-1]["reason"]


def test_one_that_answers_otherwise_is_stopped(
    service: RunningGateway, admin: httpx.Client, other: Server
) -> None:
    start(admin, other.url, min_pairs=1000, expected_disagreements=0.05, bad_disagreements=0.3)
    state = ask_until(service, admin, is_at("aborted"))
    assert "another class" in state["events"][-1]["reason"]


def test_labels_of_disagreements_refuse_a_worse_one(
    service: RunningGateway, admin: httpx.Client, other: Server
) -> None:
    start(admin, other.url, **LENIENT, min_pairs=100000)
    ask_until(service, admin, lambda state: state["evidence"]["disagreements"] >= 8)
    with service.client("rita", "predict feedback review") as rita:
        for question in rita.get("/v1/rollouts/current/questions").json():
            seen = rita.get(f"/v1/predictions/{question['prediction_id']}").json()
            assert seen["prediction"] in question["labels"] and len(question["labels"]) == 2
            said = {"prediction_id": question["prediction_id"], "verdict": "right"}  # the champion was
            answer = rita.post("/v1/feedback", json=said)
            assert answer.status_code in (200, 409), answer.text
        assert rita.get("/v1/rollouts/current/questions").json() == []
    state = ask_until(service, admin, is_at("refused"))
    assert state["evidence"]["challenger_right"] == 0 and state["evidence"]["champion_right"] >= 5
    assert "less accurate" in state["events"][-1]["reason"]


def test_a_user_is_answered_by_one_model_and_all_replicas_follow(
    champion: Server, other: Server, postgres: RunningServer, tmp_path: Path
) -> None:
    asyncio.run(Database(postgres.url).migrate())
    replicas = []
    try:
        for name in ("one", "two"):
            (tmp_path / name / "gateway").mkdir(parents=True)
            for first in replicas[:1]:  # replicas share their secrets
                for secret in ("issuer.json", "session.key"):
                    shared = (first.directory / secret).read_bytes()
                    (tmp_path / name / "gateway" / secret).write_bytes(shared)
            replicas.append(start_gateway(tmp_path / name, champion.url, database__url=postgres.url))
        first = replicas[0]
        with first.client("ada", "admin review") as admin:
            start(admin, other.url, **LENIENT, min_pairs=100000)
            admin.post("/v1/rollouts/current/promote")
            versions = {}
            time.sleep(1.5)  # the other replica follows each second
            for user in (f"user {number}" for number in range(12)):
                found = {version(replica, user) for replica in replicas}
                assert len(found) == 1
                versions[user] = found.pop()
            assert len(set(versions.values())) == 2
            assert admin.post("/v1/rollouts/current/abort").json()["stage"] == "aborted"
            time.sleep(1.5)
            assert (
                len({ask(r, user, PHOTOS[0])["model"]["version"] for r in replicas for user in versions}) == 1
            )
    finally:
        for replica in replicas:
            replica.stop()


def test_only_administrators_may(gateway: RunningGateway, champion: Server) -> None:
    with gateway.client("anna") as anna:
        assert anna.get("/v1/rollouts/current").status_code == 403
        for path in ("", "/current/promote", "/current/abort"):
            answer = anna.post(f"/v1/rollouts{path}", json={"challenger": champion.url})
            assert answer.status_code == 403


@pytest.mark.parametrize("url", ["ftp://x", "http://user:secret@x", "http:///x", "x", "http://x?y"])
def test_only_plain_urls_are_taken(gateway: RunningGateway, url: str) -> None:
    with gateway.client("ada", "admin") as admin:
        assert admin.post("/v1/rollouts", json={"challenger": url}).status_code == 400
