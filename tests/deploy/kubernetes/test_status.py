"""What `phytoflow status` shows."""

from __future__ import annotations

import pytest

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster
from phytoflow.deploy.kubernetes.canary import with_canary
from phytoflow.deploy.kubernetes.inference_service import Release, candidate_of, inference_service
from phytoflow.deploy.kubernetes.lease import exclusive_publisher
from phytoflow.deploy.kubernetes.status import describe_status
from phytoflow.errors import DeployError
from tests.deploy.kubernetes.conftest import SETTINGS, Publish, fails
from tests.support.services.api_server import ApiServer


def test_it_shows_readiness_version_and_history(publish: Publish, cluster: Cluster) -> None:
    for version in ("v1", "v2"):
        publish(version)
    lines = describe_status(cluster, "leaf")
    assert ("InferenceService", "plants/leaf") in lines and ("ready", "yes") in lines
    assert ("version", "v2") in lines and ("bundle", "s3://models/v2") in lines
    assert ("good spec 2", "version v2, s3://models/v2 (serves now)") in lines
    assert ("good spec 1", "version v1, s3://models/v1") in lines


def test_it_shows_the_provenance(cluster: Cluster) -> None:
    release = Release("s3://models/v1", "v1", {"run": "r7", "accuracy": "0.9700", "model-version": ""})
    cluster.apply(INFERENCE_SERVICES, inference_service("leaf", "plants", release, SETTINGS))
    lines = describe_status(cluster, "leaf")
    assert ("run", "r7") in lines and ("accuracy", "0.9700") in lines
    assert "model-version" not in dict(lines)


def test_it_shows_a_publisher_and_its_candidate(cluster: Cluster) -> None:
    body = inference_service("leaf", "plants", Release("s3://models/v1", "v1"), SETTINGS)
    cluster.apply(INFERENCE_SERVICES, body)
    cluster.apply(INFERENCE_SERVICES, candidate_of(body, accelerated=True))
    with exclusive_publisher(cluster, "leaf", 5):
        lines = dict(describe_status(cluster, "leaf"))
    assert lines["candidate"] == "leaf-candidate is being tried" and lines["publisher"]


def test_it_shows_a_canary_and_whether_it_answers(cluster: Cluster) -> None:
    one, other = [
        inference_service("leaf", "plants", Release(f"s3://models/{version}", version), SETTINGS)
        for version in ("v1", "v2")
    ]
    cluster.apply(INFERENCE_SERVICES, with_canary(one, other, 20))
    lines = dict(describe_status(cluster, "leaf"))
    assert lines["canary"] == "20% of the requests: s3://models/v2 (no pod is ready)"
    assert lines["bundle"] == "s3://models/v1"


def test_it_says_why_a_service_is_not_ready(cluster: Cluster, server: ApiServer) -> None:
    server.fate = fails("leaf", "v1")
    body = inference_service("leaf", "plants", Release("s3://models/v1", "v1"), SETTINGS)
    cluster.apply(INFERENCE_SERVICES, body)
    ready = dict(describe_status(cluster, "leaf"))["ready"]
    assert ready.startswith("no: the image") and "deploy.image" in ready


def test_a_name_that_is_not_published_is_an_error(cluster: Cluster) -> None:
    with pytest.raises(DeployError, match="no InferenceService leaf in namespace plants") as refusal:
        describe_status(cluster, "leaf")
    assert refusal.value.exit_code == 12
