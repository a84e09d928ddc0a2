"""``spec.canary``: what is sent, against KServe's own types; refused where the cluster does not know it."""

from __future__ import annotations

from typing import Any

import kserve
import kubernetes.client
import pytest

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster, Object
from phytoflow.deploy.kubernetes.canary import check_canary, with_canary
from phytoflow.deploy.kubernetes.inference_service import Release, inference_service, revision_of
from phytoflow.deploy.settings import DeploySettings
from phytoflow.errors import DeployError
from tests.deploy.kubernetes.conftest import SETTINGS as PUBLISH
from tests.deploy.kubernetes.conftest import Clock, Publish, live
from tests.support.services.api_server import ApiServer

CANARY = PUBLISH.model_copy(update={"canary_percent": 20})
ROUTE = "/apis/gateway.networking.k8s.io/v1/namespaces/plants/httproutes/leaf"
SETTINGS = DeploySettings(autoscaling="hpa", node_selector={"pool": "leaves"})


def bodies() -> tuple[Object, Object]:
    releases = [Release(f"s3://models/{version}", version) for version in ("0123456789ab", "ba9876543210")]
    one, other = [inference_service("leaf", "plants", release, SETTINGS) for release in releases]
    return one, other


def check_fields(value: Any, kind: str, where: str) -> None:
    """Every field is one of KServe's or Kubernetes' own type."""
    if kind.startswith("list["):
        for item in value:
            check_fields(item, kind[5:-1], where)
    elif model := getattr(kserve, kind, None) or getattr(kubernetes.client, kind, None):
        types = {model.attribute_map[name]: of for name, of in model.openapi_types.items()}
        assert set(value) <= set(types), f"{where} has {sorted(set(value) - set(types))}"
        for name, item in value.items():
            check_fields(item, types[name], f"{where}.{name}")


def test_the_published_one_goes_on_with_a_canary_that_kserve_knows() -> None:
    published, body = bodies()
    combined = with_canary(published, body, 10)
    check_fields(combined["spec"], "V1beta1InferenceServiceSpec", "spec")
    with pytest.raises(AssertionError, match="percent"):
        check_fields({"canary": [{"percent": 1}]}, "V1beta1InferenceServiceSpec", "spec")
    (canary,) = combined["spec"]["canary"]
    assert canary["trafficPercent"] == 10 and canary["predictor"]["name"] == "vba987654"
    assert canary["predictor"]["model"]["storageUri"] == "s3://models/ba9876543210"
    # KServe's webhook refuses canaries that scale themselves, and any mode but this one.
    assert not {"maxReplicas", "scaleTarget", "scaleMetric", "autoScaling"} & set(canary["predictor"])
    assert combined["metadata"]["annotations"]["serving.kserve.io/deploymentMode"] == "Standard"
    assert combined["spec"]["predictor"] == published["spec"]["predictor"]
    assert revision_of(combined) == revision_of(published) and "canary" not in published["spec"]


def route(server: ApiServer, shares: dict[str, int]) -> None:
    """Stores an HTTPRoute with these backends and weights, as KServe makes it."""
    backends = [{"name": name, "weight": weight} for name, weight in shares.items()]
    server.objects[ROUTE] = {"spec": {"rules": [{"backendRefs": backends}]}}


def test_a_canary_leaves_the_published_version_and_the_next_publish_ends_it(
    publish: Publish, cluster: Cluster, server: ApiServer
) -> None:
    publish("v1")
    route(server, {"leaf-predictor": 80, "leaf-vv2-predictor": 20})
    result = publish("v2", CANARY)
    assert result.canary_percent == 20 and live(cluster) == "s3://models/v1"
    service = cluster.get(INFERENCE_SERVICES, "leaf")
    assert service and service["spec"]["canary"][0]["predictor"]["name"] == "vv2"
    assert publish("v2").canary_percent == 0
    assert live(cluster) == "s3://models/v2"
    service = cluster.get(INFERENCE_SERVICES, "leaf")
    assert service and "canary" not in service["spec"]


def test_a_canary_gives_its_share_back_before_it_is_removed(
    publish: Publish, cluster: Cluster, server: ApiServer, clock: Clock
) -> None:
    """KServe deletes a canary's Service first, and requests on their way to it would fail."""
    publish("v1")
    route(server, {"leaf-predictor": 80, "leaf-vv2-predictor": 20})
    publish("v2", CANARY)
    specs, write = [], server._write

    def follow(path: str, body: Object, old: Object | None) -> Object:
        if path.endswith("/inferenceservices/leaf"):
            shares = [
                (one["trafficPercent"], one["predictor"]["minReplicas"])
                for one in body["spec"].get("canary", [])
            ]
            specs.append((shares, clock.now))
            route(server, {"leaf-predictor": 100, "leaf-vv2-predictor": 0})
        return write(path, body, old)

    server._write = follow  # type: ignore[method-assign]
    publish("v1")
    (drained, at), (ended, later) = specs
    assert drained == [(0, 1)] and ended == [] and 5 <= later - at < 10


@pytest.mark.parametrize(
    ("ready", "reason", "words"), [(True, "kserve", "no share"), (False, "late", "no pod of leaf's canary")]
)
def test_a_canary_that_gets_no_share_is_taken_back(
    publish: Publish, cluster: Cluster, server: ApiServer, ready: bool, reason: str, words: str
) -> None:
    """KServe 0.20 starts the pods and leaves the HTTPRoute as it is."""
    publish("v1")
    route(server, {"leaf-predictor": 1})
    write = server._write

    def with_status(path: str, body: Object, old: Object | None) -> Object:
        new = write(path, body, old)
        if canary := body.get("spec", {}).get("canary"):
            new["status"]["canaryStatuses"] = [{"name": canary[0]["predictor"]["name"], "ready": ready}]
        return new

    server._write = with_status  # type: ignore[method-assign]
    with pytest.raises(DeployError, match=words) as refusal:
        publish("v2", CANARY)
    assert refusal.value.reason == reason and "version v1 goes on serving" in refusal.value.message
    service = cluster.get(INFERENCE_SERVICES, "leaf")
    assert service and "canary" not in service["spec"] and live(cluster) == "s3://models/v1"


def test_without_an_http_route_nothing_is_tried(
    publish: Publish, cluster: Cluster, server: ApiServer
) -> None:
    publish("v1")
    server.writes.clear()
    with pytest.raises(DeployError, match="leaf has no HTTPRoute") as refusal:
        publish("v2", CANARY)
    assert refusal.value.reason == "kserve" and "enableGatewayApi" in refusal.value.remedy
    assert "PATCH inferenceservices/leaf-candidate" not in server.writes


def test_a_cluster_that_does_not_know_the_field_is_named(
    cluster: Cluster, server: ApiServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a schema the field is refused (tests/e2e/renewal/test_canary.py), without one it is dropped."""
    combined = with_canary(*bodies(), 10)
    accepted = {"spec": {"predictor": {}}}
    monkeypatch.setattr(cluster, "apply", lambda *_, **__: accepted)
    with pytest.raises(DeployError, match=r"no spec\.canary") as refusal:
        check_canary(cluster, combined)
    assert refusal.value.reason == "kserve" and "0.21" in refusal.value.remedy
    route(server, {"leaf-predictor": 1})
    accepted["spec"] = combined["spec"]
    check_canary(cluster, combined)
