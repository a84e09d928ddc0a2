"""Why an InferenceService is not ready, in a person's words, from what the cluster shows of it."""

from __future__ import annotations

from phytoflow.deploy import pods
from phytoflow.deploy.cluster import Object
from phytoflow.deploy.observe import Observed
from phytoflow.deploy.pods import Reason
from phytoflow.deploy.refusals import words

__all__ = ["Reason", "why_not_ready"]

_RUNTIME_FAULTS = {
    "NoSupportingRuntime": "apply the project's ServingRuntime in this namespace, or set deploy.runtime",
    "RuntimeNotRecognized": "apply the project's ServingRuntime in this namespace, or set deploy.runtime",
    "RuntimeDisabled": "enable the ServingRuntime, or set deploy.runtime",
}


def why_not_ready(seen: Observed, revision: str, start_seconds: float = 60) -> Reason | None:
    """The reason that stands in the way of one revision; None while it is merely on its way.

    Args:
        seen: One look at the cluster.
        revision: Pods of other revisions are not looked at.
        start_seconds: A predictor that runs this long without becoming ready has failed.
    """
    if fault := _of_service(seen.service) or _of_replicas(seen):
        return fault
    found = (pods.why_not_ready(pod, seen, start_seconds) for pod in seen.pods_of(revision))
    return next((reason for reason in found if reason), None)


def _of_service(service: Object | None) -> Reason | None:
    """What KServe itself says: no runtime takes the model, or it cannot make a Deployment."""
    status = (service or {}).get("status", {})
    failure = status.get("modelStatus", {}).get("lastFailureInfo", {})
    if (remedy := _RUNTIME_FAULTS.get(failure.get("reason", ""))) is not None:
        model = (service or {})["spec"]["predictor"].get("model", {})
        what = f"KServe has no runtime {model.get('runtime', '')} for this: {failure.get('message', '')}"
        return Reason("runtime", what, remedy)
    for found in status.get("conditions", []):
        if found["status"] == "False" and found.get("reason") == "InternalError":
            reason, remedy = words(found.get("message", "")) or ("refused", "see KServe's controller log")
            return Reason(reason, f"KServe cannot make the predictor: {found['message']}", remedy)
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
