"""Waiting for replicas: what ends it, and how long a fault may last."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, PODS, Cluster
from phytoflow.deploy.kubernetes.inference_service import REVISION, Release, inference_service, revision_of
from phytoflow.deploy.kubernetes.readiness import (
    ReadinessTimeouts,
    ReadinessTiming,
    wait_until_gone,
    wait_until_ready,
    wait_until_replaced,
)
from phytoflow.errors import DeployError
from tests.deploy.kubernetes.conftest import SETTINGS, Clock
from tests.support.services.api_server import ApiServer

TIMEOUTS = ReadinessTimeouts(ready=300, startup=60)
BODY = inference_service("leaf", "plants", Release("s3://models/v1", "v1"), SETTINGS)


def test_a_ready_service_is_returned_at_once(
    cluster: Cluster, readiness: ReadinessTiming, clock: Clock
) -> None:
    cluster.apply(INFERENCE_SERVICES, BODY)
    observation = wait_until_ready(cluster, "leaf", revision_of(BODY), TIMEOUTS, timing=readiness)
    assert len(observation.pods_of(revision_of(BODY))) == 1 and clock.now == 0


def test_a_fault_must_persist_for_the_patience(
    cluster: Cluster, server: ApiServer, readiness: ReadinessTiming, clock: Clock
) -> None:
    server.fate = lambda service: "ImagePullBackOff"
    cluster.apply(INFERENCE_SERVICES, BODY)
    with pytest.raises(DeployError, match="cannot be pulled") as refusal:
        wait_until_ready(cluster, "leaf", revision_of(BODY), TIMEOUTS, timing=readiness)
    assert refusal.value.reason == "image" and clock.now == pytest.approx(20, abs=1.1)


def test_a_fault_that_goes_away_ends_nothing(
    cluster: Cluster, server: ApiServer, readiness: ReadinessTiming, clock: Clock
) -> None:
    server.fate = lambda service: "ImagePullBackOff"
    cluster.apply(INFERENCE_SERVICES, BODY)

    def mend_after_fifteen_seconds() -> None:
        if clock.now >= 15 and server.fate(BODY):
            server.fate = lambda service: None
            cluster.apply(INFERENCE_SERVICES, BODY)

    wait_until_ready(
        cluster, "leaf", revision_of(BODY), TIMEOUTS, timing=readiness, check=mend_after_fifteen_seconds
    )
    assert clock.now == pytest.approx(15, abs=1.1)


def test_a_service_that_never_comes_ends_with_the_time(
    cluster: Cluster, readiness: ReadinessTiming, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(DeployError, match="not ready within 300 s") as late:
        wait_until_ready(cluster, "leaf", "none", TIMEOUTS, timing=readiness)
    assert late.value.reason == "late" and "deploy.ready_timeout_seconds" in late.value.remedy
    lines = [line for line in caplog.messages if "waiting for KServe" in line]
    assert len(lines) == pytest.approx(300 / readiness.report, abs=1)


def test_a_lost_lease_ends_the_wait(cluster: Cluster, readiness: ReadinessTiming) -> None:
    def lost() -> None:
        raise DeployError("lost", reason="busy")

    with pytest.raises(DeployError, match="lost"):
        wait_until_ready(cluster, "leaf", "none", TIMEOUTS, timing=readiness, check=lost)


def test_gone_means_that_neither_the_service_nor_a_pod_is_left(
    cluster: Cluster, server: ApiServer, readiness: ReadinessTiming, clock: Clock
) -> None:
    cluster.apply(INFERENCE_SERVICES, BODY)
    wait_until_gone(cluster, "leaf", readiness, pods=True)
    assert clock.now == pytest.approx(readiness.termination, abs=1.1)
    cluster.delete(INFERENCE_SERVICES, "leaf")
    assert cluster.list(PODS) == []
    before = clock.now
    wait_until_gone(cluster, "leaf", readiness, pods=True)
    assert clock.now == before


def test_a_service_that_its_finalizer_holds_is_waited_for(
    cluster: Cluster, server: ApiServer, readiness: ReadinessTiming, clock: Clock
) -> None:
    """KServe's controller may need seconds to let a deleted service go. Without a GPU pods do not matter."""
    path = INFERENCE_SERVICES.format(namespace="plants") + "/leaf"
    server.objects[path] = BODY | {"metadata": BODY["metadata"] | {"deletionTimestamp": "now"}}

    def let_go_after(seconds: float) -> None:
        clock.now += seconds
        if clock.now >= 5:
            server.objects.pop(path, None)

    wait_until_gone(cluster, "leaf", replace(readiness, sleep=let_go_after), pods=False)
    assert cluster.get(INFERENCE_SERVICES, "leaf") is None and 5 <= clock.now < 7


def test_replaced_means_that_no_former_pod_answers_any_more(
    cluster: Cluster, server: ApiServer, readiness: ReadinessTiming, clock: Clock
) -> None:
    cluster.apply(INFERENCE_SERVICES, BODY)
    (path,) = [at for at in server.objects if "/pods/" in at]
    former = server.objects[path]
    metadata = former["metadata"] | {"annotations": {REVISION: "former"}, "deletionTimestamp": "now"}
    server.objects[f"{path}-former"] = former | {"metadata": metadata}

    def end_after(seconds: float) -> None:
        clock.now += seconds
        if clock.now >= 6:
            server.objects.pop(f"{path}-former", None)

    wait_until_replaced(cluster, "leaf", revision_of(BODY), replace(readiness, sleep=end_after))
    assert [pod["metadata"]["name"] for pod in cluster.list(PODS)] == [former["metadata"]["name"]]
    assert 6 <= clock.now < 8
