"""A cluster that keeps objects as Kubernetes does, and waits that take no time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster, Object
from phytoflow.deploy.kubernetes.inference_service import Release
from phytoflow.deploy.kubernetes.lease import LeaseTiming
from phytoflow.deploy.kubernetes.publisher import PublishResult, PublishTiming, deploy
from phytoflow.deploy.kubernetes.readiness import ReadinessTiming
from phytoflow.deploy.kubernetes.smoke_test import SmokeTest
from phytoflow.deploy.settings import DeploySettings
from tests.support.services.api_server import ApiServer

SETTINGS = DeploySettings(autoscaling="none", ready_timeout_seconds=60)
PHOTOS = tuple(bytes([number]) * 20 for number in range(6))
ROW = [0.7, 0.2, 0.1]


class Clock:
    """A monotonic clock that moves only when somebody sleeps or a test advances it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def readiness(clock: Clock) -> ReadinessTiming:
    """The real durations on the test's clock."""
    return ReadinessTiming(clock=clock, sleep=clock.sleep)


@pytest.fixture
def timing(readiness: ReadinessTiming) -> PublishTiming:
    return PublishTiming(lease=LeaseTiming(poll=0.01), readiness=readiness)


@pytest.fixture
def server() -> Iterator[ApiServer]:
    made = ApiServer(lambda version, photo: ROW)
    yield made
    made.close()


@pytest.fixture
def cluster(server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
    return Cluster.connect()


Publish = Callable[..., PublishResult]


@pytest.fixture
def publish(cluster: Cluster, timing: PublishTiming) -> Publish:
    """Publishes a version under the name ``leaf``."""

    def _publish(version: str = "v1", settings: DeploySettings = SETTINGS) -> PublishResult:
        release = Release(f"s3://models/{version}", version)
        return deploy(cluster, "leaf", release, smoke_test(version), settings, timing)

    return _publish


def smoke_test(version: str) -> SmokeTest:
    return SmokeTest(version, PHOTOS, np.array([ROW] * len(PHOTOS), np.float32))


def live(cluster: Cluster) -> str:
    """The bundle that is published under the name ``leaf``."""
    service = cluster.get(INFERENCE_SERVICES, "leaf")
    return service["spec"]["predictor"]["model"]["storageUri"] if service else ""


def fails(name: str, version: str) -> Callable[[Object], str | None]:
    """A fate: services of this name that serve this bundle never become ready."""

    def fate(service: Object) -> str | None:
        chosen = service["spec"]["predictor"]["model"]["storageUri"] == f"s3://models/{version}"
        return "ImagePullBackOff" if chosen and service["metadata"]["name"] == name else None

    return fate
