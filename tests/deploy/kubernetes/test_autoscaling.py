"""What an InferenceService's scaling becomes, and the scaler it had before."""

from __future__ import annotations

import pytest

from phytoflow.deploy.kubernetes.api import AUTOSCALERS, SCALED_OBJECTS, Cluster, Object
from phytoflow.deploy.kubernetes.autoscaling import AUTOSCALER_CLASS, remove_previous_scaler, scaling_for
from phytoflow.deploy.settings import DeploySettings


def test_keda_counts_requests_of_this_service_alone() -> None:
    scaling = scaling_for("leaf", "plants", DeploySettings(requests_per_replica=2.5, max_replicas=7))
    external = scaling.predictor["autoScaling"]["metrics"][0]["external"]
    assert scaling.annotations == {AUTOSCALER_CLASS: "keda"}
    assert (scaling.predictor["minReplicas"], scaling.predictor["maxReplicas"]) == (1, 7)
    assert external["target"] == {"type": "Value", "value": "2.5"}
    assert external["metric"]["query"].count('namespace="plants", pod=~"leaf-predictor-') == 2


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            DeploySettings(autoscaling="hpa", cpu_percent=60),
            {"minReplicas": 1, "maxReplicas": 3, "scaleMetric": "cpu", "scaleTarget": 60},
        ),
        (DeploySettings(autoscaling="none", min_replicas=2), {"minReplicas": 2, "maxReplicas": 2}),
    ],
)
def test_hpa_follows_the_cpu_and_none_is_fixed(settings: DeploySettings, expected: Object) -> None:
    scaling = scaling_for("leaf", "plants", settings)
    assert scaling.predictor == expected and scaling.annotations == {AUTOSCALER_CLASS: settings.autoscaling}


def service(kind: str) -> Object:
    return {"metadata": {"name": "leaf", "annotations": {AUTOSCALER_CLASS: kind}}}


def scaler(owner: str) -> Object:
    owners = [{"kind": "InferenceService", "name": owner}]
    return {"kind": "Scaler", "metadata": {"name": "leaf-predictor", "ownerReferences": owners}}


def test_the_scaler_of_another_class_is_deleted(cluster: Cluster) -> None:
    for path in (SCALED_OBJECTS, AUTOSCALERS):
        cluster.create(path, scaler("leaf"))
    remove_previous_scaler(cluster, service("hpa"))
    assert cluster.get(SCALED_OBJECTS, "leaf-predictor") is None
    assert cluster.get(AUTOSCALERS, "leaf-predictor")
    remove_previous_scaler(cluster, service("none"))
    assert cluster.get(AUTOSCALERS, "leaf-predictor") is None


def test_a_scaler_that_kserve_did_not_make_stays(cluster: Cluster) -> None:
    cluster.create(SCALED_OBJECTS, scaler("somebody-elses"))
    remove_previous_scaler(cluster, service("none"))
    assert cluster.get(SCALED_OBJECTS, "leaf-predictor")
