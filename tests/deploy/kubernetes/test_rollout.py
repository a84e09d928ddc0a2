"""One rollout: what a failure at each place leaves behind."""

from __future__ import annotations

import pytest

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster, Object
from phytoflow.deploy.kubernetes.inference_service import Release, candidate_name, inference_service
from phytoflow.deploy.kubernetes.lease import exclusive_publisher
from phytoflow.deploy.kubernetes.publisher import PublishTiming, deploy
from phytoflow.deploy.kubernetes.readiness import ReadinessTiming
from phytoflow.deploy.kubernetes.revisions import Revision, history
from phytoflow.deploy.kubernetes.rollout import Rollout
from phytoflow.deploy.settings import DeploySettings
from phytoflow.errors import DeployError
from tests.deploy.kubernetes.conftest import PHOTOS, ROW, SETTINGS, Publish, fails, live, smoke_test
from tests.support.services.api_server import ApiServer


def test_a_bad_candidate_changes_nothing(publish: Publish, cluster: Cluster, server: ApiServer) -> None:
    publish("v1")
    server.fate = fails("leaf-candidate", "v2")
    with pytest.raises(DeployError, match="version v1 goes on serving") as refusal:
        publish("v2")
    assert refusal.value.reason == "image" and refusal.value.remedy
    assert live(cluster) == "s3://models/v1"
    assert cluster.get(INFERENCE_SERVICES, candidate_name("leaf")) is None
    assert server.writes.count("PATCH inferenceservices/leaf") == 1


def test_a_candidate_that_is_still_being_deleted_is_waited_for(
    publish: Publish, cluster: Cluster, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Applying to an object that a finalizer holds would change one that disappears."""
    held: list[str] = []
    delete = cluster.delete

    def delete_slowly(path: str, name: str) -> None:
        if cluster.get(path, name):
            held.append(name)
            held_object = server.objects[path.format(namespace="plants") + f"/{name}"]
            delete(path, name)
            server.objects[path.format(namespace="plants") + f"/{name}"] = held_object

    get = cluster.get

    def get_until_let_go(path: str, name: str) -> Object | None:
        held_service = get(path, name)
        if held_service and name in held and path == INFERENCE_SERVICES:
            held.remove(name)
            del server.objects[path.format(namespace="plants") + f"/{name}"]
        return held_service

    monkeypatch.setattr(cluster, "delete", delete_slowly)
    monkeypatch.setattr(cluster, "get", get_until_let_go)
    publish("v1")
    assert cluster.get(INFERENCE_SERVICES, candidate_name("leaf")) is None
    assert held == []


def test_a_failed_rollout_is_reverted(publish: Publish, cluster: Cluster, server: ApiServer) -> None:
    publish("v1")
    server.fate = fails("leaf", "v2")
    with pytest.raises(DeployError, match="restored: version v1 goes on serving"):
        publish("v2")
    assert live(cluster) == "s3://models/v1"
    assert [revision.bundle_version for revision in history(cluster, "leaf")] == ["v1"]


def test_a_first_version_that_fails_leaves_nothing(
    publish: Publish, cluster: Cluster, server: ApiServer
) -> None:
    server.fate = fails("leaf", "v1")
    with pytest.raises(DeployError, match="no version of it has ever served"):
        publish("v1")
    assert live(cluster) == ""


@pytest.mark.parametrize(
    ("answered", "message"), [([0.1, 0.2, 0.7], "otherwise than recorded"), ([0.5, 0.5], "off by inf")]
)
def test_wrong_answers_end_it_on_the_candidate(
    publish: Publish, cluster: Cluster, server: ApiServer, answered: list[float], message: str
) -> None:
    publish("v1")
    if len(answered) == 2:
        server.answer = lambda version, photo: answered if version == "v2" else ROW
    else:
        server.answer = lambda version, photo: answered if version == "v2" and photo == PHOTOS[5] else ROW
    with pytest.raises(DeployError, match=message) as refusal:
        publish("v2")
    assert refusal.value.reason == "smoke" and live(cluster) == "s3://models/v1"


def test_another_version_than_promised_is_noticed(cluster: Cluster, timing: PublishTiming) -> None:
    with pytest.raises(DeployError, match="serves version v1, not v9"):
        deploy(cluster, "leaf", Release("s3://models/x", "v1"), smoke_test("v9"), SETTINGS, timing)


def test_an_interrupt_restores_the_last_good_spec(
    publish: Publish, cluster: Cluster, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("v1")
    post = cluster.post_to_pod

    def interrupt(pod: str, *request: object) -> bytes:
        if pod.startswith("leaf-predictor"):
            raise KeyboardInterrupt
        return post(pod, *request)  # type: ignore[arg-type]

    monkeypatch.setattr(cluster, "post_to_pod", interrupt)
    with pytest.raises(KeyboardInterrupt):
        publish("v2")
    assert server.writes.count("PATCH inferenceservices/leaf") == 3  # v1, v2, v1 again
    assert live(cluster) == "s3://models/v1"


def test_a_restore_that_fails_says_what_to_do(
    publish: Publish, cluster: Cluster, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish("v1")
    server.fate = fails("leaf", "v2")
    apply, applied = cluster.apply, []

    def refuse_second(path: str, body: Object, **options: bool) -> Object:
        applied.append(body["metadata"]["name"])
        if applied.count("leaf") > 1:
            raise DeployError("the API server is away", reason="cluster")
        return apply(path, body, **options)

    monkeypatch.setattr(cluster, "apply", refuse_second)
    with pytest.raises(DeployError, match=r"could NOT be restored .*phytoflow rollback leaf"):
        publish("v2")


GPU = DeploySettings(accelerators=1, autoscaling="none", ready_timeout_seconds=60)


@pytest.mark.parametrize(
    ("previous", "settings", "accelerated"),
    [
        (None, GPU, True),  # nothing runs: the placement is not proved yet
        (GPU, GPU, False),  # the new version will take over a GPU that is in use
        (GPU, GPU.model_copy(update={"node_selector": {"gpu": "a100"}}), True),  # another placement
        (GPU, GPU.model_copy(update={"surge_accelerator": True}), True),  # a GPU is free
    ],
)
def test_a_candidate_gets_a_gpu_if_one_is_free_or_its_placement_is_new(
    cluster: Cluster,
    server: ApiServer,
    readiness: ReadinessTiming,
    previous: DeploySettings | None,
    settings: DeploySettings,
    accelerated: bool,
) -> None:
    old = inference_service("leaf", "plants", Release("s3://models/v1", "v1"), previous) if previous else None
    former = Revision(1, old, "leaf-1", "uid") if old else None
    body = inference_service("leaf", "plants", Release("s3://models/v2", "v2"), settings)
    limits: list[dict[str, str]] = []
    server.fate = lambda service: limits.append(service["spec"]["predictor"]["model"]["resources"]["limits"])
    with exclusive_publisher(cluster, "leaf", 5) as lease:
        Rollout(cluster, lease, settings, smoke_test("v2"), former, readiness).try_candidate(body)
    assert ["nvidia.com/gpu" in limit for limit in limits] == [accelerated]
