"""Diagnosis of an InferenceService that is not ready."""

from __future__ import annotations

from phytoflow.deploy.kubernetes.api import Object
from phytoflow.deploy.kubernetes.api_errors import explain_message
from phytoflow.deploy.kubernetes.diagnosis.pods import Reason, diagnose_pod
from phytoflow.deploy.kubernetes.inference_service import revision_of
from phytoflow.deploy.kubernetes.observe import Observation

_RUNTIME_FAULTS = {
    "NoSupportingRuntime": "apply the project's ServingRuntime in this namespace, or set deploy.runtime",
    "RuntimeNotRecognized": "apply the project's ServingRuntime in this namespace, or set deploy.runtime",
    "RuntimeDisabled": "enable the ServingRuntime, or set deploy.runtime",
}


def diagnose(observation: Observation, revision: str, startup_timeout_seconds: float = 60) -> Reason | None:
    """Finds the fault that keeps one revision from becoming ready.

    Args:
        observation: The state of the cluster.
        revision: Pods of other revisions are ignored.
        startup_timeout_seconds: A predictor that runs this long without becoming ready has failed.

    Returns:
        The fault, or None if the revision is ready or still starting.
    """
    early = _runtime_fault(observation.service) or _service_fault(observation, revision)
    if fault := early or _replica_fault(observation):
        return fault
    pods = observation.pods_of(revision)
    reasons = (diagnose_pod(pod, observation, startup_timeout_seconds) for pod in pods)
    return next((reason for reason in reasons if reason), None)


def _runtime_fault(service: Object | None) -> Reason | None:
    """KServe found no runtime that accepts the model."""
    failure = (service or {}).get("status", {}).get("modelStatus", {}).get("lastFailureInfo", {})
    remedy = _RUNTIME_FAULTS.get(failure.get("reason", ""))
    if service is None or remedy is None:
        return None
    runtime = service["spec"]["predictor"].get("model", {}).get("runtime", "")
    what = f"KServe has no runtime {runtime} for this: {failure.get('message', '')}"
    return Reason("runtime", what, remedy)


def _service_fault(observation: Observation, revision: str) -> Reason | None:
    """KServe could not create or change the Deployment, which it reports in an event only."""
    template = (observation.deployment or {}).get("spec", {}).get("template", {})
    if observation.service is None or revision_of(template) == revision:
        return None
    about = {"kind": "InferenceService", "name": observation.service["metadata"]["name"]}
    for event in reversed(observation.events):
        if event["type"] == "Warning" and about.items() <= event["involvedObject"].items():
            known = explain_message(event["message"]) or ("refused", "see the log of KServe's controller")
            return Reason(known[0], f"KServe cannot create the predictor: {event['message']}", known[1])
    return None


def _replica_fault(observation: Observation) -> Reason | None:
    """Pods could not be created: quota, policy, webhook or ServiceAccount."""
    status = (observation.deployment or {}).get("status", {})
    for condition in status.get("conditions", []):
        if condition["type"] == "ReplicaFailure" and condition["status"] == "True":
            message = condition.get("message", "")
            reason, remedy = explain_message(message) or ("refused", "see kubectl describe replicaset")
            return Reason(reason, f"the cluster refuses to create the predictor's pod: {message}", remedy)
    return None
