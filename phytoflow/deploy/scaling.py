"""How an InferenceService grows and shrinks, as KServe's Standard mode wants it said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from phytoflow.config import DeploySettings

CLASS = "serving.kserve.io/autoscalerClass"


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
            "metric": {"backend": "prometheus", "serverAddress": settings.prometheus, "query": query},
            "target": {"type": "Value", "value": f"{settings.requests_per_replica:g}"},
        },
    }
