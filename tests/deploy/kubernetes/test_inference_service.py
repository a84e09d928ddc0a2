"""The InferenceService that is wanted."""

from __future__ import annotations

from phytoflow.deploy.kubernetes.inference_service import (
    REVISION,
    Release,
    accelerators_of,
    candidate_of,
    inference_service,
    revision_of,
)
from phytoflow.deploy.settings import DeploySettings

RELEASE = Release("s3://models/leaf/1", "abc123", {"run": "r1", "macro-f1": "0.9700", "model-version": ""})
GPU = DeploySettings(
    accelerators=1, node_selector={"gpu": "a100"}, tolerations=("nvidia.com/gpu",), runtime="phytoflow-gpu"
)


def body(settings: DeploySettings = DeploySettings(), release: Release = RELEASE) -> dict:  # noqa: B008
    return inference_service("leaf", "plants", release, settings)


def test_it_serves_the_bundle_with_the_projects_runtime() -> None:
    predictor = body()["spec"]["predictor"]
    model = predictor["model"]
    assert model["modelFormat"] == {"name": "phytoflow"} and model["runtime"] == "phytoflow-predictor"
    assert model["storageUri"] == "s3://models/leaf/1"
    assert predictor["serviceAccountName"] == "phytoflow-predictor"
    assert predictor["priorityClassName"] == "phytoflow-serving"
    assert "image" not in model and "nodeSelector" not in predictor and "tolerations" not in predictor


def test_annotations_say_where_it_comes_from() -> None:
    annotations = body()["metadata"]["annotations"]
    assert annotations["phytoflow/bundle-version"] == "abc123"
    assert (annotations["phytoflow/run"], annotations["phytoflow/macro-f1"]) == ("r1", "0.9700")
    assert "phytoflow/model-version" not in annotations


def test_the_revision_changes_with_anything_else_and_only_then() -> None:
    assert revision_of(body()) == revision_of(body())
    changed = [
        body(DeploySettings(cpu="2")),
        body(GPU),
        body(release=Release(RELEASE.uri, "def456")),
        body(release=Release("s3://models/leaf/2", "abc123")),
    ]
    assert len({revision_of(b) for b in [body(), *changed]}) == 5


def test_replicas_are_replaced_without_a_gap() -> None:
    rolling = body()["spec"]["predictor"]["deploymentStrategy"]["rollingUpdate"]
    assert rolling == {"maxSurge": 1, "maxUnavailable": 0}


def test_without_a_spare_gpu_the_old_pod_goes_first() -> None:
    predictor = body(GPU)["spec"]["predictor"]
    assert predictor["model"]["resources"]["limits"]["nvidia.com/gpu"] == "1"
    assert predictor["nodeSelector"] == {"gpu": "a100"}
    assert predictor["tolerations"] == [
        {"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}
    ]
    assert predictor["deploymentStrategy"]["rollingUpdate"] == {"maxSurge": 0, "maxUnavailable": 1}
    spare = body(GPU.model_copy(update={"surge_accelerator": True}))["spec"]["predictor"]
    assert spare["deploymentStrategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_replicas_spread_over_nodes_and_a_candidate_does_not() -> None:
    (constraint,) = body()["spec"]["predictor"]["topologySpreadConstraints"]
    assert constraint["topologyKey"] == "kubernetes.io/hostname"
    assert constraint["whenUnsatisfiable"] == "ScheduleAnyway"  # one node is enough to serve
    label = {"serving.kserve.io/inferenceservice": "leaf"}
    assert constraint["labelSelector"] == {"matchLabels": label}
    candidate = candidate_of(body(), accelerated=True)["spec"]["predictor"]
    assert "topologySpreadConstraints" not in candidate


def test_a_candidate_is_one_replica_of_another_name() -> None:
    whole = body(DeploySettings(min_replicas=2))
    before = revision_of(whole)
    tried = candidate_of(whole, accelerated=True)
    predictor = tried["spec"]["predictor"]
    assert tried["metadata"]["name"] == "leaf-candidate"
    assert tried["metadata"]["annotations"]["serving.kserve.io/autoscalerClass"] == "none"
    assert (predictor["minReplicas"], predictor["maxReplicas"]) == (1, 1) and "autoScaling" not in predictor
    assert predictor["model"] == whole["spec"]["predictor"]["model"]
    assert revision_of(whole) == before != revision_of(tried)


def test_a_candidate_can_do_without_the_gpu() -> None:
    predictor = candidate_of(body(GPU), accelerated=False)["spec"]["predictor"]
    assert "nvidia.com/gpu" not in predictor["model"]["resources"]["limits"]
    assert "nodeSelector" not in predictor and "tolerations" not in predictor
    assert accelerators_of(body(GPU))["limits"] == {"nvidia.com/gpu": "1"}
    assert accelerators_of(body()) == {}


def test_an_object_without_annotations_has_no_revision() -> None:
    assert revision_of(None) == "" == revision_of({"metadata": {}})
    assert body()["metadata"]["annotations"][REVISION]
