"""Rollouts on a cluster: two replicas of the gateway, a champion and a challenger that are InferenceServices.

Who of 10,000 users is answered by which model is counted in tests/serving/gateway/upstream/test_fleet.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.storage.uri import put_folder
from serving.gateway.auth.local_issuer import LocalIssuer
from tests.e2e.cluster import kubectl, pods, wait_until
from tests.e2e.conftest import SMALL, Versions
from tests.e2e.names import own_name
from tests.e2e.test_gateway import JPEG, PHOTOS, Users, bearer, local_issuer, replicas_before
from tests.support.make_bundle import make_bundle

NAME, OTHER, SLOW = (
    own_name("old"),
    own_name("new"),
    own_name("slow"),
)  # short: KServe makes host names of them
REPLICAS = 2
USERS = 8
# By hand only: random models disagree always, and on a busy machine an equal one may seem slow.
BY_HAND = {"min_pairs": 100_000, "watch_pairs": 100_000, "slow_factor": 50.0, "max_shift": 1.0}
BY_HAND |= {"expected_disagreements": 0.95, "bad_disagreements": 0.99}
pytestmark = pytest.mark.timeout(600)


@dataclass(frozen=True)
class Service:
    """The gateway.

    Attributes:
        url: Address of its replicas.
        admin: Client of an administrator.
        issuer: Makes tokens of users.
        old: Version of the champion.
    """

    url: str
    admin: httpx.Client
    issuer: LocalIssuer
    old: str

    def start(self, challenger: str, **settings: Any) -> None:
        """Begins a rollout of an InferenceService."""
        body = {"challenger": f"http://{challenger}-predictor/v2/models/{challenger}", "settings": settings}
        answer = self.admin.post("/v1/rollouts", json=body)
        assert answer.status_code == 201, answer.text

    def call(self, path: str = "") -> dict[str, Any]:
        """Reads the rollout, or changes it."""
        answer = self.admin.request("POST" if path else "GET", f"/v1/rollouts/current{path}")
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def wait(self, condition: Callable[[dict[str, Any]], bool], seconds: float, what: str) -> dict[str, Any]:
        """The rollout once a condition holds."""
        wait_until(lambda: condition(self.call()), seconds, what)
        return self.call()

    def version(self, user: str) -> str:
        """Version that answers a user, over a connection of its own."""
        headers = bearer(self.issuer.token(user, ["predict"])) | JPEG
        answer = httpx.post(f"{self.url}/v1/predict", content=PHOTOS[0], headers=headers, timeout=30)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["model"]["version"])

    @contextmanager
    def busy(self, pause: float = 0.0) -> Iterator[list[Users]]:
        """Users who go on asking, with so many seconds between two requests of one user."""
        with ExitStack() as stack:
            tokens = [self.issuer.token(f"user {number}", ["predict"]) for number in range(USERS)]
            users = [Users(self.url, bearer(token), pause=pause) for token in tokens]
            yield [stack.enter_context(user.working(1)) for user in users]


@contextmanager
def serving(name: str, address: str, versions: Versions, folder: Path) -> Iterator[Service]:
    """Replicas of the gateway before a champion that was deployed."""
    issuer = local_issuer(folder)
    headers = bearer(issuer.token("ada", ["review", "admin"]))
    with (
        replicas_before(name, address, REPLICAS) as url,
        httpx.Client(base_url=url, headers=headers, timeout=30) as admin,
    ):
        yield Service(url, admin, issuer, Bundle.load(versions.folders[0]).manifest.version)


@pytest.fixture(scope="module")
def service(address: str, versions: Versions, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    versions.deploy(NAME, 0, SMALL)
    versions.deploy(OTHER, 1, SMALL)
    with serving(NAME, address, versions, tmp_path_factory.mktemp("issuer")) as running:
        yield running
    kubectl("delete", "inferenceservice", NAME, OTHER, SLOW, "--ignore-not-found")


def check_nobody_noticed(users: list[Users]) -> None:
    assert [user.failed for user in users] == [[]] * USERS
    assert sum(user.answered for user in users) > 50


def test_fifty_changes_of_weight_fail_no_request(service: Service) -> None:
    service.start(OTHER, **BY_HAND, canary_percents=list(range(2, 100, 2)))
    with service.busy() as users:
        shares = [service.call("/promote")["percent"] for _ in range(50)]
    assert shares == [*range(2, 102, 2)]
    check_nobody_noticed(users)
    assert service.call("/abort")["stage"] == "rolled_back"


def test_after_a_rollback_everybody_is_the_champions_within_five_seconds(service: Service) -> None:
    service.start(OTHER, **BY_HAND, canary_percents=[50])
    assert [service.call("/promote")["stage"] for _ in range(2)] == ["canary", "watch"]
    wait_until(
        lambda: service.old not in {service.version(f"user {n}") for n in range(8)}, 10, "the new model"
    )
    service.call("/abort")
    began, last = time.monotonic(), 0.0
    while (now := time.monotonic() - began) < 8:
        if service.version("anna") != service.old:
            last = now
    assert last < 5


def test_a_challenger_that_crashes_reaches_few_requests_and_no_user(service: Service) -> None:
    service.start(OTHER, **BY_HAND, canary_percents=[50])
    service.call("/promote")
    with service.busy() as users:
        service.wait(lambda state: state["evidence"]["pairs"] > 20, 60, "answers of both")
        assert {service.version(f"user {number}") == service.old for number in range(USERS)} == {True, False}
        (pod,) = pods(OTHER)
        kubectl("delete", "pod", pod["metadata"]["name"], "--grace-period=0", "--force", "--wait=false")
        state = service.wait(lambda state: state["stage"] == "aborted", 60, "the end of the rollout")
    check_nobody_noticed(users)
    assert 0 < state["evidence"]["failures"] <= 20
    assert "failed on" in state["events"][-1]["reason"]


def test_a_challenger_twice_as_slow_is_stopped_within_half_a_minute(
    service: Service, versions: Versions, tmp_path: Path
) -> None:
    """Its model computes pictures of 25 times the pixels; the default thresholds decide."""
    folder = make_bundle(tmp_path / "slow", ("onnx",), side=320)
    uri = f"{versions.uris[0]}-slow"
    put_folder(folder, uri)
    Versions((folder, folder), (uri, uri)).deploy(SLOW)
    lenient = {"expected_disagreements": 0.95, "bad_disagreements": 0.99, "max_shift": 1.0}
    service.start(SLOW, **lenient, min_pairs=100_000)
    with service.busy() as users:
        state = service.wait(lambda state: state["stage"] == "aborted", 30, "the end of the rollout")
    check_nobody_noticed(users)
    assert "slow on" in state["events"][-1]["reason"]
