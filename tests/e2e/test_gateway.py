"""Three replicas of the gateway on PostgreSQL and Redis: shared state, updates and killed pods under load."""

from __future__ import annotations

import base64
import json
import os
import random
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from serving.gateway.auth.local_issuer import LocalIssuer
from tests.e2e.cluster import Object, get, in_threads, kubectl, prometheus, ready, wait_until
from tests.e2e.conftest import GATEWAY_SECRET, ROOT, SMALL, Versions
from tests.e2e.names import own_name
from tests.support.make_bundle import pictures

NAME = own_name("gateway")
PHOTOS = [photo.content for photo in pictures(12)]
JPEG = {"Content-Type": "image/jpeg"}
REPLICAS = 3
CONFIG = ("--config", "/etc/gateway/gateway.yaml")
# While other work takes both CPUs, probes and kubectl come too late, and requests fail for that reason alone.
under_load = pytest.mark.skipif(
    not os.environ.get("PHYTOFLOW_TEST_LOAD"),
    reason="needs a machine to itself: set PHYTOFLOW_TEST_LOAD=1 to end pods under load",
)


def gateways(*, going: bool = False) -> list[Object]:
    """The gateway's pods, with ``going`` also those that are draining."""
    items = get("pods", "-l", "app.kubernetes.io/name=gateway")["items"]
    return [pod for pod in items if going or "deletionTimestamp" not in pod["metadata"]]


def all_ready(replicas: int = REPLICAS) -> bool:
    """Whether as many replicas accept requests as there should be, and nothing else is left."""
    return len(gateways(going=True)) == replicas and sum(map(ready, gateways())) == replicas


def set_environment(*words: str) -> None:
    kubectl("set", "env", "deployment/gateway", "deployment/gateway-worker", *words)


@contextmanager
def replicas_before(name: str, address: str, replicas: int = REPLICAS) -> Iterator[str]:
    """Replicas of the gateway before an InferenceService; the address of a Service that spreads over them."""
    variables = {
        "PHYTOFLOW_GATEWAY__UPSTREAM__CHAMPION": f"http://{name}-predictor",
        "PHYTOFLOW_GATEWAY__UPSTREAM__MODEL": name,
        "PHYTOFLOW_GATEWAY__AUTH__LOCAL_ISSUER": "true",
        "PHYTOFLOW_GATEWAY__LIMITS__PHOTOS_PER_MINUTE": "1000000",
    }
    scale = {"spec": {"minReplicas": replicas, "maxReplicas": replicas}}
    kubectl("patch", "hpa", "gateway", "--type=merge", "-p", json.dumps(scale))
    set_environment(*(f"{key}={value}" for key, value in variables.items()))
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{name}-address", "labels": {"phytoflow/test": "address"}},
        "spec": {
            "type": "NodePort",
            "selector": {"app.kubernetes.io/name": "gateway"},
            "ports": [{"name": "http", "port": 80, "targetPort": 8000}],
        },
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(service))
    wait_until(lambda: all_ready(replicas), 240, f"{replicas} ready replicas")
    yield f"http://{address}:{get('service', f'{name}-address')['spec']['ports'][0]['nodePort']}"
    set_environment(*(f"{key}-" for key in variables))
    kubectl("apply", "-k", str(ROOT / "kustomize" / "overlays" / "dev"))


def local_issuer(folder: Path) -> LocalIssuer:
    """The issuer whose key all replicas have."""
    key = get("secret", GATEWAY_SECRET)["data"]["issuer.json"]
    (folder / "issuer.json").write_bytes(base64.b64decode(key))
    return LocalIssuer.open(folder)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@pytest.fixture(scope="module")
def url(address: str, versions: Versions) -> Iterator[str]:
    """The address of three replicas before a predictor."""
    versions.deploy(NAME, 0, SMALL)
    with replicas_before(NAME, address) as url:
        yield url
    kubectl("delete", "inferenceservice", NAME)


@pytest.fixture(scope="module")
def headers(url: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Credentials of a user."""
    issuer = local_issuer(tmp_path_factory.mktemp("issuer"))
    return bearer(issuer.token(f"user-{NAME}", ["predict", "feedback"]))


@dataclass
class Users:
    """Closed-loop users of the API.

    Attributes:
        answered: Number of answers with status 200.
        failed: Everything else.
        retries: Attempts more after a connection broke; 0 takes every broken connection as a failure.
        pause: Seconds after each answer.
        retried: Connections that broke and whose request was sent once more.
    """

    url: str
    headers: dict[str, str]
    retries: int = 0
    pause: float = 0.0
    answered: int = 0
    retried: int = 0
    failed: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def working(self, count: int) -> Iterator[Users]:
        """Runs that many users until the context ends."""
        with in_threads(self._work, count, self._ended):
            yield self

    def _work(self, number: int) -> None:
        """Opens new connections now and then: a Service spreads connections, not requests."""
        while not self._ended.is_set():
            with httpx.Client(base_url=self.url, headers=self.headers | JPEG, timeout=30) as client:
                for turn in range(20):
                    if self._ended.is_set():
                        return
                    self._ask(client, PHOTOS[(number + turn) % len(PHOTOS)])
                    self._ended.wait(self.pause)

    def _ask(self, client: httpx.Client, photo: bytes) -> None:
        for attempt in range(self.retries + 1):
            try:
                response = client.post("/v1/predict", content=photo)
                break
            except httpx.TransportError as error:
                with self._lock:
                    if attempt == self.retries:
                        self.failed.append(repr(error))
                        return
                    self.retried += 1
        with self._lock:
            if response.status_code == 200:
                self.answered += 1
            else:
                self.failed.append(f"{response.status_code}: {response.text[:300]}")


def remembered() -> int:
    """Number of predictions of this test's user in PostgreSQL."""
    question = f"select count(*) from predictions where user_name = 'user-{NAME}'"
    command = 'psql --host /var/run/postgresql -U "$POSTGRES_USER" -d gateway -tAc "$0"'
    return int(kubectl("exec", "deployment/postgresql", "--", "sh", "-c", command, question))


@pytest.mark.timeout(600)
def test_replicas_answer_as_one(url: str, headers: dict[str, str]) -> None:
    """Every replica answers, with the same classes; any of them knows a task that another one took."""
    addresses = [pod["status"]["podIP"] for pod in gateways()]
    assert len(set(addresses)) == REPLICAS
    tasks = []
    for number, photo in enumerate(PHOTOS):
        taken = httpx.post(f"{url}/v1/predict_async", content=photo, headers=headers | JPEG)
        assert taken.status_code == 202, f"{number}: {taken.text}"
        tasks.append(taken.json()["task_id"])

    def done(task: str) -> bool:
        answer = httpx.get(f"{url}/v1/result/{task}", headers=headers).json()
        assert answer["state"] in ("queued", "running", "done"), answer
        return bool(answer["state"] == "done")

    wait_until(lambda: all(map(done, tasks)), 60, "every task done, whichever replica is asked")
    wait_until(lambda: remembered() == len(PHOTOS), 30, "each task remembered once")


def test_an_api_key_made_in_one_pod_is_taken_by_all(url: str) -> None:
    words = ("python", "-m", "serving.gateway", "keys", "create", NAME, *CONFIG)
    key = kubectl("exec", "deployment/gateway", "--", *words).strip()
    for _ in range(6):
        assert httpx.get(f"{url}/v1/quota", headers={"X-API-Key": key}).status_code == 200
    assert httpx.get(f"{url}/v1/quota", headers={"X-API-Key": key + "x"}).status_code == 401


def test_prometheus_scrapes_gateways_and_worker(url: str) -> None:
    def targets() -> set[str]:
        active = prometheus("targets", state="active")["activeTargets"]
        ours = [target for target in active if target["scrapePool"].count("phytoflow-gateway")]
        return {target["labels"]["pod"] for target in ours if target["health"] == "up"}

    names = {pod["metadata"]["name"] for pod in gateways()}
    worker = get("pods", "-l", "app.kubernetes.io/name=gateway-worker")["items"][-1]["metadata"]["name"]
    wait_until(lambda: targets() >= names | {worker}, 90, "every gateway and the worker scraped")


@under_load
@pytest.mark.timeout(600)
def test_a_rolling_update_fails_no_request_and_every_answer_is_remembered_once(
    url: str, headers: dict[str, str]
) -> None:
    before, old = remembered(), {pod["metadata"]["name"] for pod in gateways()}
    with Users(url, headers).working(4) as users:
        kubectl("rollout", "restart", "deployment/gateway")
        kubectl("rollout", "status", "deployment/gateway", "--timeout=240s")
        wait_until(all_ready, 120, "only new pods")
    assert users.failed == [] and users.answered > 50
    assert not old & {pod["metadata"]["name"] for pod in gateways()}
    wait_until(lambda: remembered() >= before + users.answered, 30, "all answers in the database")
    assert remembered() == before + users.answered


@under_load
@pytest.mark.timeout(600)
def test_pods_deleted_at_random_fail_no_request(url: str, headers: dict[str, str]) -> None:
    """Gateways and the worker in good order; Redis and PostgreSQL end at once and are bridged."""
    before, chance = remembered(), random.Random(11)
    with Users(url, headers).working(4) as users:
        for _ in range(2):
            kubectl("delete", "pod", chance.choice(gateways())["metadata"]["name"], "--wait=false")
            kubectl("delete", "pod", "-l", "app.kubernetes.io/name=gateway-worker", "--wait=false")
            wait_until(all_ready, 120, "three ready replicas again")
        # The container ends, the pod and its data stay.
        kubectl("exec", "deployment/redis", "--", "sh", "-c", "kill -TERM 1")
        kubectl("exec", "deployment/postgresql", "--", "sh", "-c", "kill -QUIT 1")
        time.sleep(5)
        kubectl("rollout", "status", "deployment/redis", "--timeout=120s")
        kubectl("rollout", "status", "deployment/postgresql", "--timeout=120s")
    assert users.failed == [] and users.answered > 50
    wait_until(lambda: remembered() >= before + users.answered, 60, "all answers in the database")
    assert remembered() == before + users.answered


@under_load
@pytest.mark.timeout(600)
def test_a_pod_that_is_killed_costs_broken_connections_and_no_refusal(
    url: str, headers: dict[str, str]
) -> None:
    """SIGKILL without warning: what was in progress there breaks, and is answered at the second attempt."""
    with Users(url, headers, retries=2).working(4) as users:
        victim = gateways()[0]["metadata"]["name"]
        kubectl("delete", "pod", victim, "--grace-period=0", "--force")
        wait_until(all_ready, 120, "three ready replicas again")
    assert users.failed == [] and users.answered > 50
    assert users.retried <= 8
