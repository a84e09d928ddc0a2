"""Why an InferenceService is not ready, in a person's words, from what the cluster shows of it."""

from __future__ import annotations

from phytoflow.deploy.kubernetes.api import Object
from phytoflow.deploy.kubernetes.api_errors import words
from phytoflow.deploy.kubernetes.diagnosis import pods as pods
from phytoflow.deploy.kubernetes.diagnosis.pods import Reason
from phytoflow.deploy.kubernetes.inference_service import revision_of
from phytoflow.deploy.kubernetes.observe import Observed

__all__ = ["Reason", "why_not_ready"]

_RUNTIME_FAULTS = {
    "NoSupportingRuntime": "apply the project's ServingRuntime in this namespace, or set deploy.runtime",
    "RuntimeNotRecognized": "apply the project's ServingRuntime in this namespace, or set deploy.runtime",
    "RuntimeDisabled": "enable the ServingRuntime, or set deploy.runtime",
}


def why_not_ready(seen: Observed, revision: str, startup_timeout_seconds: float = 60) -> Reason | None:
    """The reason that stands in the way of one revision; None while it is merely on its way.

    Args:
        seen: One look at the cluster.
        revision: Pods of other revisions are not looked at.
        startup_timeout_seconds: A predictor that runs this long without becoming ready has failed.
    """
    if fault := _of_runtime(seen.service) or _of_service(seen, revision) or _of_replicas(seen):
        return fault
    found = (pods.why_not_ready(pod, seen, startup_timeout_seconds) for pod in seen.pods_of(revision))
    return next((reason for reason in found if reason), None)


def _of_runtime(service: Object | None) -> Reason | None:
    """KServe knows no runtime that takes the model."""
    failure = (service or {}).get("status", {}).get("modelStatus", {}).get("lastFailureInfo", {})
    remedy = _RUNTIME_FAULTS.get(failure.get("reason", ""))
    if service is None or remedy is None:
        return None
    runtime = service["spec"]["predictor"].get("model", {}).get("runtime", "")
    what = f"KServe has no runtime {runtime} for this: {failure.get('message', '')}"
    return Reason("runtime", what, remedy)


def _of_service(seen: Observed, revision: str) -> Reason | None:
    """What keeps KServe from making, or changing, the Deployment: it says so in an event only."""
    template = (seen.deployment or {}).get("spec", {}).get("template", {})
    if seen.service is None or revision_of(template) == revision:
        return None
    about = {"kind": "InferenceService", "name": seen.service["metadata"]["name"]}
    for event in reversed(seen.events):
        if event["type"] == "Warning" and about.items() <= event["involvedObject"].items():
            known = words(event["message"]) or ("refused", "see the log of KServe's controller")
            return Reason(known[0], f"KServe cannot make the predictor: {event['message']}", known[1])
    return None


def _of_replicas(seen: Observed) -> Reason | None:
    """Pods that could not even be made: quota, policy, webhook, service account."""
    status = (seen.deployment or {}).get("status", {})
    for found in status.get("conditions", []):
        if found["type"] == "ReplicaFailure" and found["status"] == "True":
            message = found.get("message", "")
            reason, remedy = words(message) or ("refused", "see kubectl describe replicaset")
            return Reason(reason, f"the cluster refuses to make the predictor's pod: {message}", remedy)
    return None
