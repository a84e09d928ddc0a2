"""Publishing under a name: the order of writes, the same again, rollback, and what is refused."""

from __future__ import annotations

import threading

import pytest

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, LEASES, Cluster
from phytoflow.deploy.kubernetes.inference_service import Release
from phytoflow.deploy.kubernetes.lease import lease_holder
from phytoflow.deploy.kubernetes.publisher import PublishTiming, deploy, rollback
from phytoflow.deploy.kubernetes.revisions import Revision, history
from phytoflow.deploy.kubernetes.smoke_test import SmokeTest
from phytoflow.deploy.kubernetes.status import describe_status
from phytoflow.errors import ConfigError, DeployError
from tests.deploy.kubernetes.conftest import ROW, SETTINGS, Publish, live, smoke_test
from tests.support.services.api_server import ApiServer


def test_a_candidate_comes_first_and_goes(publish: Publish, cluster: Cluster, server: ApiServer) -> None:
    result = publish()
    services = [write for write in server.writes if "inferenceservices" in write]
    assert services[-3:] == [
        "PATCH inferenceservices/leaf-candidate",
        "DELETE inferenceservices/leaf-candidate",
        "PATCH inferenceservices/leaf",
    ]
    assert result.changed and result.compared == 6 and result.max_difference < 1e-6
    assert result.url == "http://leaf-predictor.plants.svc"
    assert lease_holder(cluster, "leaf") == ""


def test_the_same_again_changes_nothing(publish: Publish, cluster: Cluster) -> None:
    first, again = publish(), publish()
    assert again.revision == first.revision and not again.changed
    assert len(history(cluster, "leaf")) == 1


def test_what_was_changed_by_hand_is_restored(publish: Publish, server: ApiServer) -> None:
    publish()
    path = INFERENCE_SERVICES.format(namespace="plants") + "/leaf"
    server.objects[path]["spec"]["predictor"]["model"]["runtime"] = "somebody's"
    assert publish().changed
    assert server.objects[path]["spec"]["predictor"]["model"]["runtime"] == "phytoflow-predictor"


def test_a_service_that_is_not_ours_is_left_alone(publish: Publish, cluster: Cluster) -> None:
    metadata = {"name": "leaf", "annotations": {"phytoflow/revision": "", "phytoflow/bundle-version": ""}}
    body = {"kind": "InferenceService", "metadata": metadata, "spec": {"predictor": {}}}
    cluster.apply(INFERENCE_SERVICES, body)
    with pytest.raises(DeployError, match="did not make"):
        publish()
    assert cluster.get(INFERENCE_SERVICES, "leaf")["spec"] == {"predictor": {}}


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("l" * 41, "40 characters"),
        ("Leaf", "lower-case"),
        ("löwenzahn", "lower-case"),
        ("leaf_1", "lower-case"),
        ("1leaf", "lower-case"),
        ("leaf-", "lower-case"),
        ("", "lower-case"),
        ("../leaf", "lower-case"),
        ("leaf-candidate", "candidate of leaf"),
    ],
)
def test_a_name_that_cannot_be_served_is_refused_before_anything_is_written(
    cluster: Cluster, server: ApiServer, name: str, why: str
) -> None:
    with pytest.raises(ConfigError, match=why) as refusal:
        deploy(cluster, name, Release("s3://m/x", "v"), smoke_test("v"), SETTINGS)
    assert refusal.value.remedy and server.writes == []


def test_annotations_take_any_text(cluster: Cluster, timing: PublishTiming) -> None:
    odd = "Löwenzahn #1 <b>&\"'q 健康 🌿"
    release = Release("s3://models/v1", "v1", {"run": odd})
    deploy(cluster, "leaf", release, smoke_test("v1"), SETTINGS, timing)
    assert ("run", odd) in describe_status(cluster, "leaf")


def test_nothing_is_written_while_another_publisher_holds_the_lease(
    publish: Publish, cluster: Cluster
) -> None:
    publish()
    lease = cluster.get(LEASES, "phytoflow-leaf")
    cluster.replace(LEASES, lease | {"spec": lease["spec"] | {"holderIdentity": "another"}})
    publisher = threading.Thread(target=publish, args=("v2",))
    publisher.start()
    assert live(cluster) == "s3://models/v1"
    lease = cluster.get(LEASES, "phytoflow-leaf")
    cluster.replace(LEASES, lease | {"spec": lease["spec"] | {"holderIdentity": ""}})
    publisher.join(30)
    assert live(cluster) == "s3://models/v2"


def test_rollback_goes_back_and_forth(publish: Publish, cluster: Cluster, timing: PublishTiming) -> None:
    for version in ("v1", "v2", "v3"):
        publish(version)

    def back(to: int = 0) -> str:
        tests = lambda revision: smoke_test(revision.bundle_version)  # noqa: E731
        rollback(cluster, "leaf", tests, SETTINGS, to, timing)
        return live(cluster)

    assert back() == "s3://models/v2"
    assert back() == "s3://models/v3"
    assert back(to=1) == "s3://models/v1"
    with pytest.raises(DeployError, match="no other good spec 99"):
        back(to=99)


def test_rollback_needs_a_bundle_that_is_still_there(publish: Publish, cluster: Cluster) -> None:
    publish("v1")
    publish("v2")

    def gone(revision: Revision) -> SmokeTest:
        raise DeployError(f"{revision.bundle_uri} is gone", reason="bundle")

    with pytest.raises(DeployError, match="s3://models/v1 is gone"):
        rollback(cluster, "leaf", gone, SETTINGS)
    assert live(cluster) == "s3://models/v2"


def test_rollback_of_nothing_says_so(cluster: Cluster) -> None:
    with pytest.raises(DeployError, match="no good spec to go back to"):
        rollback(cluster, "leaf", lambda revision: smoke_test("v1"), SETTINGS)


def test_a_ready_service_that_answers_wrongly_is_not_published(
    publish: Publish, cluster: Cluster, server: ApiServer
) -> None:
    server.answer = lambda version, photo: ROW[::-1]
    with pytest.raises(DeployError, match="otherwise than recorded"):
        publish("v1")
    assert live(cluster) == ""
