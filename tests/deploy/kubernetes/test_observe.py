"""Reading the objects of one InferenceService."""

from __future__ import annotations

from dataclasses import replace

from phytoflow.deploy.kubernetes.api import EVENTS, INFERENCE_SERVICES, Cluster, Object
from phytoflow.deploy.kubernetes.inference_service import REVISION, Release, inference_service, revision_of
from phytoflow.deploy.kubernetes.observe import condition_status, observe
from tests.deploy.kubernetes.conftest import SETTINGS
from tests.support.services.api_server import ApiServer

BODY = inference_service("leaf", "plants", Release("s3://models/v1", "v1"), SETTINGS)


def event(name: str, about: str, time: str) -> Object:
    return {"metadata": {"name": name}, "involvedObject": {"name": about}, "lastTimestamp": time}


def test_nothing_is_published(cluster: Cluster) -> None:
    observation = observe(cluster, "leaf")
    assert observation.service is None and observation.deployment is None and observation.pods == []
    assert not observation.rolled_out("any")


def test_a_service_is_read_with_its_deployment_pods_and_events(cluster: Cluster) -> None:
    cluster.apply(INFERENCE_SERVICES, BODY)
    cluster.create(EVENTS, event("later", "leaf-predictor-x", "2026-01-02T00:00:00Z"))
    cluster.create(EVENTS, event("earlier", "leaf", "2026-01-01T00:00:00Z"))
    cluster.create(EVENTS, event("other", "rose", "2026-01-01T00:00:00Z"))
    observation = observe(cluster, "leaf")
    assert observation.rolled_out(revision_of(BODY)) and not observation.rolled_out("another")
    assert [e["metadata"]["name"] for e in observation.events] == ["earlier", "later"]


def test_a_terminating_pod_no_longer_counts(cluster: Cluster) -> None:
    cluster.apply(INFERENCE_SERVICES, BODY)
    observation = observe(cluster, "leaf")
    assert len(observation.pods_of(revision_of(BODY))) == 1
    for pod in observation.pods:
        pod["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    assert observation.pods_of(revision_of(BODY)) == []


def test_a_canary_pod_is_not_one_of_the_published_version(cluster: Cluster, server: ApiServer) -> None:
    """KServe copies the annotations of the InferenceService, revision included, to the canary's pods."""
    cluster.apply(INFERENCE_SERVICES, BODY)
    labels = {"serving.kserve.io/inferenceservice": "leaf", "app": "isvc.leaf-v1234-predictor"}
    metadata = {"name": "leaf-v1234-predictor-x", "labels": labels}
    metadata["annotations"] = {REVISION: revision_of(BODY)}  # type: ignore[assignment]
    server.objects["/api/v1/namespaces/plants/pods/leaf-v1234-predictor-x"] = {"metadata": metadata}
    names = [pod["metadata"]["name"] for pod in observe(cluster, "leaf").pods_of(revision_of(BODY))]
    assert names == [f"leaf-predictor-{revision_of(BODY)}"]


def test_a_deployment_that_is_not_observed_yet_is_not_rolled_out(cluster: Cluster) -> None:
    cluster.apply(INFERENCE_SERVICES, BODY)
    observation = observe(cluster, "leaf")
    assert observation.deployment is not None
    newer = observation.deployment | {"metadata": observation.deployment["metadata"] | {"generation": 2}}
    assert not replace(observation, deployment=newer).rolled_out(revision_of(BODY))


def test_the_status_of_a_condition() -> None:
    body = {"status": {"conditions": [{"type": "Ready", "status": "Unknown"}]}}
    assert condition_status(body, "Ready") == "Unknown"
    assert condition_status(body, "Other") == "" == condition_status(None, "Ready")
