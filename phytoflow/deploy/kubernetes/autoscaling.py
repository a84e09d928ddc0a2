"""How an InferenceService grows and shrinks, as KServe's Standard mode wants it said."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from phytoflow.deploy.kubernetes.api import AUTOSCALERS, SCALED_OBJECTS, Cluster, Object
from phytoflow.deploy.settings import DeploySettings
from phytoflow.errors import DeployError

CLASS = "serving.kserve.io/autoscalerClass"
_SCALERS = {"keda": SCALED_OBJECTS, "hpa": AUTOSCALERS}
_NO_SUCH_KIND = "kserve"  # as ``refusals`` names it
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Scaling:
    """Parts of an InferenceService.

    Attributes:
        annotations: Of its metadata.
        predictor: Fields of ``spec.predictor``.
    """

    annotations: dict[str, str]
    predictor: dict[str, Any]


def of(name: str, namespace: str, settings: DeploySettings) -> Scaling:
    """Replicas and the metric they follow."""
    bounds: dict[str, Any] = {"minReplicas": settings.min_replicas, "maxReplicas": settings.max_replicas}
    if settings.autoscaling == "none":
        return Scaling({CLASS: "none"}, bounds | {"maxReplicas": settings.min_replicas})
    if settings.autoscaling == "hpa":
        return Scaling({CLASS: "hpa"}, bounds | {"scaleMetric": "cpu", "scaleTarget": settings.cpu_percent})
    return Scaling(
        {CLASS: "keda"}, bounds | {"autoScaling": {"metrics": [_requests(name, namespace, settings)]}}
    )


def remove_former(cluster: Cluster, body: Object) -> None:
    """Removes what scaled an InferenceService before it was to be scaled otherwise.

    KServe 0.21 leaves it there, and it goes on: pods of the replicas that KServe wants and it does not come
    and go every few seconds. What KServe did not make is left alone.

    Args:
        cluster: Where.
        body: The InferenceService, applied already: KServe would make it anew.
    """
    name, kind = body["metadata"]["name"], body["metadata"]["annotations"][CLASS]
    for path in (path for other, path in _SCALERS.items() if other != kind):
        try:
            found = cluster.get(path, f"{name}-predictor")
            if found and _made_for(name, found):
                cluster.delete(path, f"{name}-predictor")
                _LOG.info("%s is no longer scaled by its former %s", name, found.get("kind", "scaler"))
        except DeployError as error:
            if error.reason != _NO_SUCH_KIND:  # nothing of a kind that the cluster does not have
                _LOG.warning("what scaled %s before could not be removed: %s", name, error.message)


def _made_for(name: str, scaler: Object) -> bool:
    owners = scaler["metadata"].get("ownerReferences") or []
    return any(owner["kind"] == "InferenceService" and owner["name"] == name for owner in owners)


def _requests(name: str, namespace: str, settings: DeploySettings) -> dict[str, Any]:
    """Work under way and waiting, over all replicas; KEDA divides by their number.

    KServe hands ``target.value`` to KEDA as the threshold, and KEDA takes it as an average whatever the type
    says here; KServe's webhook refuses ``AverageValue`` without a ``value``.
    """
    pods = f'namespace="{namespace}", pod=~"{name}-predictor-[a-z0-9]+-[a-z0-9]{{5}}"'
    query = f"sum(active_prediction_requests{{{pods}}}) + sum(prediction_queue_depth{{{pods}}})"
    return {
        "type": "External",
        "external": {
            "metric": {"backend": "prometheus", "serverAddress": settings.prometheus_url, "query": query},
            "target": {"type": "Value", "value": f"{settings.requests_per_replica:g}"},
        },
    }
