"""Reads the objects that show whether an InferenceService is ready and why it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from phytoflow.deploy.kubernetes.api import DEPLOYMENTS, EVENTS, INFERENCE_SERVICES, PODS, Cluster, Object
from phytoflow.deploy.kubernetes.inference_service import REVISION, revision_of

LogReader = Callable[[str, str, bool], str]
"""Takes pod, container and whether the previous run is meant, and returns the end of the log."""


@dataclass(frozen=True)
class Observation:
    """The objects of one InferenceService at one moment.

    Attributes:
        service: The InferenceService. None if it does not exist.
        deployment: Its Deployment. None if KServe has not created it.
        pods: Its pods, of every revision, without those of a canary.
        events: Events about any of these, oldest first.
        logs: Reads a container's log.
    """

    service: Object | None
    deployment: Object | None
    pods: list[Object]
    events: list[Object] = field(default_factory=list)
    logs: LogReader = lambda pod, container, previous: ""

    def pods_of(self, revision: str) -> list[Object]:
        """Returns the pods made from one revision of the spec that are not being deleted."""
        return [
            pod
            for pod in self.pods
            if revision_of(pod) == revision and "deletionTimestamp" not in pod["metadata"]
        ]

    def rolled_out(self, revision: str) -> bool:
        """Whether every replica has this revision and is available, and no other replica is left."""
        if self.deployment is None:
            return False
        template, status = self.deployment["spec"]["template"], self.deployment.get("status", {})
        wanted = self.deployment["spec"].get("replicas", 1)
        counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
        up_to_date = status.get("observedGeneration", 0) >= self.deployment["metadata"]["generation"]
        current = (template["metadata"].get("annotations") or {}).get(REVISION) == revision
        ready = condition_status(self.service, "Ready") == "True"
        return current and up_to_date and counts == [wanted] * 3 and ready


def observe(cluster: Cluster, name: str) -> Observation:
    """Reads an InferenceService and everything that belongs to it.

    Raises:
        DeployError: The cluster refuses, or cannot be reached.
    """
    # KServe labels the pods of a Deployment with its name; those of a canary have another.
    pods = cluster.list(PODS, labelSelector=f"app=isvc.{name}-predictor")
    events = [e for e in cluster.list(EVENTS) if e["involvedObject"].get("name", "").startswith(name)]
    return Observation(
        service=cluster.get(INFERENCE_SERVICES, name),
        deployment=cluster.get(DEPLOYMENTS, f"{name}-predictor"),
        pods=pods,
        events=sorted(events, key=_event_time),
        logs=lambda pod, container, previous: cluster.logs(pod, container, previous=previous),
    )


def condition_status(body: Object | None, kind: str) -> str:
    """Returns the status of a condition: True, False or Unknown. Empty if the object lacks it."""
    conditions = {c["type"]: c for c in (body or {}).get("status", {}).get("conditions", [])}
    return str(conditions.get(kind, {}).get("status", ""))


def _event_time(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])
