"""Under load: scaling, rolling updates and deleted pods, without a failed request."""

import json
import random
import time
from collections.abc import Iterator

import pytest

from tests.e2e.cluster import Callers, get, kubectl, pods, ready, wait_until
from tests.e2e.conftest import SMALL, Versions
from tests.e2e.names import own_name
from tests.support.make_bundle import pictures

NAME = own_name("busy")
PHOTOS = [photo.content for photo in pictures(12)]
SCALED = SMALL.model_copy(
    update={"autoscaling": "keda", "max_replicas": 3, "requests_per_replica": 3.0, "cpu": "500m"}
)


@pytest.fixture(scope="module")
def url(address: str, versions: Versions) -> Iterator[str]:
    """Publishes the first version and returns the address of a Service that spreads over its replicas."""
    versions.deploy(NAME)
    ports = [{"name": "http", "port": 80, "targetPort": 8080}]
    selector = {"serving.kserve.io/inferenceservice": NAME}
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": f"{NAME}-address", "labels": {"phytoflow/test": "address"}},
        "spec": {"type": "NodePort", "selector": selector, "ports": ports},
    }
    kubectl("apply", "-f", "-", stdin=json.dumps(service))
    yield f"http://{address}:{get('service', f'{NAME}-address')['spec']['ports'][0]['nodePort']}"
    kubectl("delete", "inferenceservice", NAME)


def serving() -> int:
    """Returns the number of replicas that accept requests."""
    return sum(ready(pod) for pod in pods(NAME))


def scalers() -> list[str]:
    """Returns the KEDA objects and HPAs that scale it."""
    names = kubectl("get", "scaledobjects.keda.sh,horizontalpodautoscalers", "-o", "name").split()
    return [name for name in names if f"{NAME}-predictor" in name]


@pytest.mark.timeout(600)
def test_one_becomes_three_under_load_and_one_again_after_it(versions: Versions, url: str) -> None:
    versions.deploy(NAME, 0, SCALED)
    assert serving() == 1
    with Callers(url, NAME, PHOTOS).calling(16) as callers:
        assert scalers()
        wait_until(lambda: serving() == 3, 240, "three ready replicas")
    wait_until(lambda: serving() == 1, 300, "one replica again")
    assert callers.failed == [] and sum(callers.versions.values()) > 0


@pytest.mark.timeout(600)
def test_a_rolling_update_fails_no_request_and_ends_on_the_new_version(versions: Versions, url: str) -> None:
    old = versions.deploy(NAME, 0).version
    wait_until(lambda: not scalers(), 60, "nothing that scaled it before")
    with Callers(url, NAME, PHOTOS).calling(4) as callers:
        time.sleep(3)
        new = versions.deploy(NAME, 1).version
        wait_until(lambda: len(pods(NAME, going=True)) == 1, 120, "only the new pod")
        before = dict(callers.versions)
        time.sleep(3)
    assert callers.failed == []
    assert before.keys() == {old, new}
    assert callers.versions[old] == before[old] and callers.versions[new] > before[new]


@pytest.mark.timeout(600)
def test_pods_deleted_at_random_for_two_minutes_fail_no_request(versions: Versions, url: str) -> None:
    versions.deploy(NAME, 1, SMALL.model_copy(update={"min_replicas": 2, "max_replicas": 2}))
    wait_until(lambda: serving() == 2, 120, "two ready replicas")
    chance, end = random.Random(7), time.monotonic() + 120
    with Callers(url, NAME, PHOTOS).calling(4) as callers:
        while time.monotonic() < end:
            kubectl("delete", "pod", chance.choice(pods(NAME))["metadata"]["name"], "--wait=false")
            time.sleep(20)
            wait_until(lambda: serving() == 2, 120, "two ready replicas again")
    assert callers.failed == [] and sum(callers.versions.values()) > 100
