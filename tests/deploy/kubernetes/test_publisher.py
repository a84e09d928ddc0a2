"""The order of things: lease, candidate, rollout, history; and what is put back."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from phytoflow.deploy.kubernetes import lease
from phytoflow.deploy.kubernetes import readiness as ready
from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, LEASES, Cluster
from phytoflow.deploy.kubernetes.inference_service import Release, candidate_name
from phytoflow.deploy.kubernetes.lease import holder, sole_publisher
from phytoflow.deploy.kubernetes.publisher import Deployed, deploy, rollback
from phytoflow.deploy.kubernetes.revisions import KEPT, Revision, history
from phytoflow.deploy.kubernetes.smoke_test import Exam
from phytoflow.deploy.kubernetes.status import status
from phytoflow.deploy.settings import DeploySettings
from phytoflow.errors import ConfigError, DeployError
from tests.support.api_server import ApiServer, Object

SETTINGS = DeploySettings(autoscaling="none", ready_timeout_seconds=60)
PHOTOS = tuple(bytes([number]) * 20 for number in range(6))
ROW = [0.7, 0.2, 0.1]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same waits, shorter."""
    monkeypatch.setattr(ready, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(ready, "_PATIENCE_SECONDS", 0.1)
    monkeypatch.setattr(lease, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(lease, "_RENEW_SECONDS", 0.05)
    monkeypatch.setattr(lease, "SECONDS", 3.0)


@pytest.fixture
def server() -> Iterator[ApiServer]:
    made = ApiServer(lambda version, photo: ROW)
    yield made
    made.close()


@pytest.fixture
def cluster(server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cluster:
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
    return Cluster.connect()


def publish(cluster: Cluster, version: str = "v1", settings: DeploySettings = SETTINGS) -> Deployed:
    return deploy(cluster, "leaf", Release(f"s3://models/{version}", version), exam(version), settings)


def exam(version: str) -> Exam:
    return Exam(version, PHOTOS, np.array([ROW] * len(PHOTOS), np.float32))


def live(cluster: Cluster) -> str:
    service = cluster.get(INFERENCE_SERVICES, "leaf")
    return service["spec"]["predictor"]["model"]["storageUri"] if service else ""


def fails(what: str, uri: str) -> object:
    """A fate: services of this name that serve this bundle never become ready."""

    def fate(service: Object) -> str | None:
        chosen = service["spec"]["predictor"]["model"]["storageUri"] == f"s3://models/{uri}"
        return "ImagePullBackOff" if chosen and service["metadata"]["name"] == what else None

    return fate


def test_the_namespace_is_that_of_the_kubeconfig(cluster: Cluster) -> None:
    assert cluster.namespace == "plants"


def test_a_candidate_comes_first_and_goes(cluster: Cluster, server: ApiServer) -> None:
    done = publish(cluster)
    services = [write for write in server.writes if "inferenceservices" in write]
    assert services[-3:] == [
        "PATCH inferenceservices/leaf-candidate",
        "DELETE inferenceservices/leaf-candidate",
        "PATCH inferenceservices/leaf",
    ]
    assert done.changed and done.compared == 6 and done.max_difference < 1e-6
    assert done.url == "http://leaf-predictor.plants.svc"
    assert holder(cluster, "leaf") == ""


def test_the_same_again_changes_nothing(cluster: Cluster) -> None:
    first, again = publish(cluster), publish(cluster)
    assert again.revision == first.revision and not again.changed
    assert len(history(cluster, "leaf")) == 1


def test_what_was_changed_by_hand_is_put_right(cluster: Cluster, server: ApiServer) -> None:
    publish(cluster)
    path = INFERENCE_SERVICES.format(namespace="plants") + "/leaf"
    server.objects[path]["spec"]["predictor"]["model"]["runtime"] = "somebody's"
    assert publish(cluster).changed
    assert server.objects[path]["spec"]["predictor"]["model"]["runtime"] == "phytoflow-predictor"


def test_a_bad_candidate_changes_nothing(cluster: Cluster, server: ApiServer) -> None:
    publish(cluster)
    server.fate = fails("leaf-candidate", "v2")
    with pytest.raises(DeployError, match="version v1 goes on serving") as refusal:
        publish(cluster, "v2")
    assert refusal.value.reason == "image" and refusal.value.remedy
    assert live(cluster) == "s3://models/v1"
    assert cluster.get(INFERENCE_SERVICES, candidate_name("leaf")) is None
    assert server.writes.count("PATCH inferenceservices/leaf") == 1


def test_a_failed_rollout_is_put_back(cluster: Cluster, server: ApiServer) -> None:
    publish(cluster)
    server.fate = fails("leaf", "v2")
    with pytest.raises(DeployError, match="put back: version v1 goes on serving"):
        publish(cluster, "v2")
    assert live(cluster) == "s3://models/v1"
    assert [revision.bundle_version for revision in history(cluster, "leaf")] == ["v1"]


def test_a_first_version_that_fails_leaves_nothing(cluster: Cluster, server: ApiServer) -> None:
    server.fate = fails("leaf", "v1")
    with pytest.raises(DeployError, match="no version of it has ever served"):
        publish(cluster)
    assert live(cluster) == ""


@pytest.mark.parametrize(
    ("answered", "said"), [([0.1, 0.2, 0.7], "otherwise than recorded"), ([0.5, 0.5], "off by inf")]
)
def test_wrong_answers_end_it_on_the_candidate(
    cluster: Cluster, server: ApiServer, answered: list[float], said: str
) -> None:
    publish(cluster)
    server.answer = lambda version, photo: answered if version == "v2" and photo == PHOTOS[5] else ROW
    if len(answered) == 2:
        server.answer = lambda version, photo: answered if version == "v2" else ROW
    with pytest.raises(DeployError, match=said) as refusal:
        publish(cluster, "v2")
    assert refusal.value.reason == "smoke" and live(cluster) == "s3://models/v1"


def test_another_version_than_promised_is_noticed(cluster: Cluster) -> None:
    release = Release("s3://models/x", "v1")
    with pytest.raises(DeployError, match="serves version v1, not v9"):
        deploy(cluster, "leaf", release, exam("v9"), SETTINGS)


def test_a_service_that_is_not_ours_is_left_alone(cluster: Cluster) -> None:
    metadata = {"name": "leaf", "annotations": {"phytoflow/revision": "", "phytoflow/bundle-version": ""}}
    body = {"kind": "InferenceService", "metadata": metadata, "spec": {"predictor": {}}}
    cluster.apply(INFERENCE_SERVICES, body)
    with pytest.raises(DeployError, match="did not make"):
        publish(cluster)
    assert cluster.get(INFERENCE_SERVICES, "leaf")["spec"] == {"predictor": {}}


def test_a_long_name_is_refused(cluster: Cluster) -> None:
    with pytest.raises(ConfigError, match="40"):
        deploy(cluster, "l" * 41, Release("s3://m/x", "v"), exam("v"), SETTINGS)


def test_rollback_goes_back_and_forth(cluster: Cluster) -> None:
    for version in ("v1", "v2", "v3"):
        publish(cluster, version)

    def back(to: int = 0) -> str:
        rollback(cluster, "leaf", lambda revision: exam(revision.bundle_version), SETTINGS, to)
        return live(cluster)

    assert back() == "s3://models/v2"
    assert back() == "s3://models/v3"
    assert back(to=1) == "s3://models/v1"
    with pytest.raises(DeployError, match="no other good spec 99"):
        back(to=99)
    lines = status(cluster, "leaf")
    assert [value for label, value in lines if "serves now" in value] == [
        "version v1, s3://models/v1 (serves now)"
    ]
    assert ("ready", "yes") in lines and ("version", "v1") in lines


def test_rollback_needs_a_bundle_that_is_still_there(cluster: Cluster) -> None:
    publish(cluster)
    publish(cluster, "v2")

    def gone(revision: Revision) -> Exam:
        raise DeployError(f"{revision.bundle_uri} is gone", reason="bundle")

    with pytest.raises(DeployError, match="s3://models/v1 is gone"):
        rollback(cluster, "leaf", gone, SETTINGS)
    assert live(cluster) == "s3://models/v2"


def test_rollback_of_nothing_says_so(cluster: Cluster) -> None:
    with pytest.raises(DeployError, match="no good spec to go back to"):
        rollback(cluster, "leaf", lambda revision: exam("v1"), SETTINGS)
    with pytest.raises(DeployError, match="no InferenceService leaf"):
        status(cluster, "leaf")


def test_history_forgets_the_oldest(cluster: Cluster) -> None:
    for number in range(KEPT + 3):
        publish(cluster, f"v{number}")
    kept = history(cluster, "leaf")
    assert [revision.bundle_version for revision in kept] == [f"v{n}" for n in range(3, KEPT + 3)]


def test_publishers_take_turns(cluster: Cluster) -> None:
    order: list[str] = []

    def work(who: str) -> None:
        with sole_publisher(cluster, "leaf", 60):
            order.append(f"{who} begins")
            time.sleep(0.2)
            order.append(f"{who} ends")

    threads = [threading.Thread(target=work, args=(who,)) for who in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(order) == 6
    for begins, ends in zip(order[::2], order[1::2], strict=True):
        assert begins.split()[0] == ends.split()[0]


def test_a_dead_publishers_lease_is_taken_over(cluster: Cluster) -> None:
    with sole_publisher(cluster, "leaf", 5):
        pass
    held = cluster.get(LEASES, "phytoflow-leaf")
    cluster.replace(LEASES, held | {"spec": held["spec"] | {"holderIdentity": "dead"}})
    with sole_publisher(cluster, "leaf", 30) as now:
        now.check()
    held = cluster.get(LEASES, "phytoflow-leaf")
    cluster.replace(LEASES, held | {"spec": held["spec"] | {"holderIdentity": "alive"}})
    with (
        pytest.raises(DeployError, match="another publisher is at work: alive"),
        sole_publisher(cluster, "leaf", 0.1),
    ):
        raise AssertionError("two publishers at once")


def test_a_lost_lease_ends_the_publish(cluster: Cluster, server: ApiServer) -> None:
    path = LEASES.format(namespace="plants") + "/phytoflow-leaf"
    with pytest.raises(DeployError, match="lost its Lease"), sole_publisher(cluster, "leaf", 5) as held:
        server.objects[path] = replace_version(server.objects[path])
        time.sleep(3.5)
        held.check()


def replace_version(body: Object) -> Object:
    """As if another had written it."""
    return body | {"metadata": body["metadata"] | {"resourceVersion": "another"}}


def test_a_cluster_that_does_not_answer_is_named(cluster: Cluster, server: ApiServer) -> None:
    server.close()
    with pytest.raises(DeployError, match=r"127\.0\.0\.1") as refusal:
        publish(cluster)
    assert refusal.value.reason == "cluster" and "KUBECONFIG" in refusal.value.remedy
    assert replace(exam("v1"), version="v2").version == "v2"
