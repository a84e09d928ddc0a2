"""`deploy.canary_percent`: refused where KServe cannot split, and the split itself where it can."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest

from phytoflow.bundle.bundle import Bundle
from phytoflow.client import rest_codec as v2
from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster
from phytoflow.deploy.kubernetes.canary import HTTP_ROUTES, check_canary, with_canary
from phytoflow.deploy.kubernetes.inference_service import Release, inference_service
from phytoflow.deploy.kubernetes.status import describe_status
from phytoflow.deploy.settings import DeploySettings
from phytoflow.errors import DeployError
from tests.e2e.cluster import in_threads, kubectl, wait_until
from tests.e2e.names import own_name
from tests.e2e.place import NAME, SETTINGS, Place, place
from tests.support.make_bundle import pictures

__all__ = ["place"]

CANARY = SETTINGS.model_copy(update={"canary_percent": 20})
FIELD = "{.spec.versions[*].schema.openAPIV3Schema.properties.spec.properties.canary.type}"
PHOTO = pictures(1)[0].content


def has_field() -> bool:
    """Whether the cluster's KServe has ``spec.canary``."""
    return bool(kubectl("get", "crd", "inferenceservices.serving.kserve.io", "-o", f"jsonpath={FIELD}"))


@dataclass(frozen=True)
class Gateway:
    """A Gateway, called as a client outside the cluster does.

    Attributes:
        url: Its address.
        host: Name of the InferenceService that the HTTPRoute matches.
    """

    url: str
    host: str

    def versions(self, requests: int) -> Counter[str]:
        """Versions that answered so many requests. None may fail."""
        body, headers = v2.encode([PHOTO], None)
        with httpx.Client(base_url=self.url, headers={"Host": self.host}, timeout=30) as client:
            counts: Counter[str] = Counter()
            for _ in range(requests):
                answer = client.post(f"/v2/models/{NAME}/infer", content=body, headers=headers)
                assert answer.status_code == 200, f"after {counts}: {answer.status_code} {answer.text[:200]}"
                counts[v2.decode(answer.content)[0].model_version] += 1
        return counts

    @contextmanager
    def busy(self) -> Iterator[list[str]]:
        """Calls all the while, and yields the list of failed requests."""
        failed: list[str] = []
        ended = threading.Event()

        def call(_: int) -> None:
            while not ended.is_set():
                try:
                    self.versions(5)
                except (AssertionError, httpx.HTTPError) as error:
                    failed.append(repr(error))

        with in_threads(call, 1, ended):
            yield failed


@pytest.fixture
def gateway(place: Place) -> Gateway:
    """The Gateway of the published service; version 0 is published."""
    if not has_field() or "gateways" not in kubectl("api-resources", "-o", "name"):
        pytest.skip("no KServe 0.21 with Gateway API")
    place.deploy(0)
    route = place.admin.get(HTTP_ROUTES, NAME)
    if route is None:
        pytest.skip("KServe makes no HTTPRoutes: enableGatewayApi is off")
    parent = route["spec"]["parentRefs"][0]
    found = json.loads(kubectl("get", "gateway", parent["name"], "-n", parent["namespace"], "-o", "json"))
    address, port = found["status"]["addresses"][0]["value"], found["spec"]["listeners"][0]["port"]
    return Gateway(f"http://{address}:{port}", route["spec"]["hostnames"][0])


def only(gateway: Gateway, version: str) -> Callable[[], bool]:
    return lambda: set(gateway.versions(20)) == {version}


def test_a_canary_is_refused_unless_kserve_can_split() -> None:
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("no cluster: KUBECONFIG is not set")
    cluster, name = Cluster.connect("default"), own_name("canary")
    releases = [Release(f"s3://models/{version}", version) for version in ("v1", "v2")]
    published, body = [
        inference_service(name, cluster.namespace, release, DeploySettings()) for release in releases
    ]
    words = "has no HTTPRoute" if has_field() else r"no spec\.canary"  # of a service that is not published
    with pytest.raises(DeployError, match=words):
        check_canary(cluster, with_canary(published, body, 10))
    assert cluster.get(INFERENCE_SERVICES, name) is None  # a dry run


@pytest.mark.timeout(900)
def test_a_canary_gets_its_share_is_ended_and_is_promoted(place: Place, gateway: Gateway) -> None:
    old, new = (Bundle.load(folder).manifest.version for folder in place.folders)
    assert place.deploy(1, CANARY).canary_percent == 20
    wait_until(lambda: new in gateway.versions(20), 30, "the Gateway's proxies know the canary")
    counts = gateway.versions(1000)
    print(f"of 1000 requests: {counts[old]} by the published version, {counts[new]} by the canary")
    assert counts.keys() == {old, new} and abs(counts[new] - 200) <= 30
    assert ("canary", f"20% of the requests: {place.uris[1]}") in describe_status(place.publisher, NAME)

    with gateway.busy() as failed:
        assert place.deploy(0).version == old  # ends it
        wait_until(only(gateway, old), 30, "the published version answers alone")
        place.deploy(1, CANARY)
        assert place.deploy(1).canary_percent == 0  # promotes it
        wait_until(only(gateway, new), 30, "the new version answers alone")
    assert not failed, failed[:5]
    assert "canary" not in dict(describe_status(place.publisher, NAME))
