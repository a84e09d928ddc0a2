"""Autoscaling of an InferenceService in KServe's Standard (RawDeployment) mode."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from phytoflow.deploy.kubernetes.api import AUTOSCALERS, SCALED_OBJECTS, Cluster, Object
from phytoflow.deploy.settings import DeploySettings
from phytoflow.errors import DeployError

AUTOSCALER_CLASS = "serving.kserve.io/autoscalerClass"
_SCALER_PATHS = {"keda": SCALED_OBJECTS, "hpa": AUTOSCALERS}
_NO_SUCH_KIND = "kserve"  # reason of ``api_errors`` for a kind that the cluster does not have
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scaling:
    """The parts of an InferenceService that set its scaling.

    Attributes:
        annotations: Annotations of the InferenceService.
        predictor: Fields of ``spec.predictor``.
    """

    annotations: dict[str, str]
    predictor: dict[str, Any]


def scaling_for(name: str, namespace: str, settings: DeploySettings) -> Scaling:
    """Returns the replica bounds and the metric that the number of replicas follows."""
    bounds: dict[str, Any] = {"minReplicas": settings.min_replicas, "maxReplicas": settings.max_replicas}
    if settings.autoscaling == "none":
        return Scaling({AUTOSCALER_CLASS: "none"}, bounds | {"maxReplicas": settings.min_replicas})
    if settings.autoscaling == "hpa":
        metric = {"scaleMetric": "cpu", "scaleTarget": settings.cpu_percent}
        return Scaling({AUTOSCALER_CLASS: "hpa"}, bounds | metric)
    metrics = [_request_metric(name, namespace, settings)]
    return Scaling({AUTOSCALER_CLASS: "keda"}, bounds | {"autoScaling": {"metrics": metrics}})


def remove_previous_scaler(cluster: Cluster, body: Object) -> None:
    """Deletes the scaler of another class that KServe created for this InferenceService.

    KServe 0.21 does not delete it when the class changes. The old scaler and KServe would then disagree, and
    pods would come and go every few seconds. Scalers that KServe did not create are left alone.

    Args:
        cluster: Where the InferenceService is.
        body: The InferenceService. It must be applied already, or KServe would create the scaler again.
    """
    name, kind = body["metadata"]["name"], body["metadata"]["annotations"][AUTOSCALER_CLASS]
    for path in (path for other, path in _SCALER_PATHS.items() if other != kind):
        try:
            scaler = cluster.get(path, f"{name}-predictor")
            if scaler and _is_owned_by(name, scaler):
                cluster.delete(path, f"{name}-predictor")
                _LOG.info("deleted the previous %s of %s", scaler.get("kind", "scaler"), name)
        except DeployError as error:
            if error.reason != _NO_SUCH_KIND:
                _LOG.warning("the previous scaler of %s could not be deleted: %s", name, error.message)


def _is_owned_by(name: str, scaler: Object) -> bool:
    owners = scaler["metadata"].get("ownerReferences") or []
    return any(owner["kind"] == "InferenceService" and owner["name"] == name for owner in owners)


def _request_metric(name: str, namespace: str, settings: DeploySettings) -> dict[str, Any]:
    """Requests in progress plus queued photos over all replicas. KEDA divides by the number of replicas.

    KServe passes ``target.value`` to KEDA as the threshold, and KEDA treats it as an average whatever the
    target type is. The type is not ``AverageValue`` because KServe's webhook requires a ``value``.
    """
    # A Deployment's pods end in a replica set's hash and five characters; a candidate's name does not match.
    pods = f'namespace="{namespace}", pod=~"{name}-predictor-[a-z0-9]+-[a-z0-9]{{5}}"'
    query = f"sum(active_prediction_requests{{{pods}}}) + sum(prediction_queue_depth{{{pods}}})"
    return {
        "type": "External",
        "external": {
            "metric": {"backend": "prometheus", "serverAddress": settings.prometheus_url, "query": query},
            "target": {"type": "Value", "value": f"{settings.requests_per_replica:g}"},
        },
    }
