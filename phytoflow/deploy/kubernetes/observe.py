"""What the cluster shows of one InferenceService: the objects that say whether and why not it is ready."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from phytoflow.deploy.kubernetes.api import DEPLOYMENTS, EVENTS, INFERENCE_SERVICES, PODS, Cluster, Object
from phytoflow.deploy.kubernetes.inference_service import REVISION, revision_of

Logs = Callable[[str, str, bool], str]
"""Pod, container, whether of its previous life: the end of a log."""


@dataclass(frozen=True)
class Observed:
    """One look.

    Attributes:
        service: The InferenceService; None if it is not there.
        deployment: Its Deployment; None if KServe has not made one.
        pods: Its pods, of every revision.
        events: Events about any of these, oldest first.
        logs: Reads a log.
    """

    service: Object | None
    deployment: Object | None
    pods: list[Object]
    events: list[Object] = field(default_factory=list)
    logs: Logs = lambda pod, container, previous: ""

    def pods_of(self, revision: str) -> list[Object]:
        """Pods made from one revision of the spec that are not on their way out."""
        return [
            pod
            for pod in self.pods
            if revision_of(pod) == revision and "deletionTimestamp" not in pod["metadata"]
        ]

    def rolled_out(self, revision: str) -> bool:
        """Whether every replica is of this revision and available, and no other is left."""
        if self.deployment is None:
            return False
        template, status = self.deployment["spec"]["template"], self.deployment.get("status", {})
        wanted = self.deployment["spec"].get("replicas", 1)
        counts = [status.get(key, 0) for key in ("replicas", "updatedReplicas", "availableReplicas")]
        seen = status.get("observedGeneration", 0) >= self.deployment["metadata"]["generation"]
        current = (template["metadata"].get("annotations") or {}).get(REVISION) == revision
        return current and seen and counts == [wanted] * 3 and condition(self.service, "Ready") == "True"


def observe(cluster: Cluster, name: str) -> Observed:
    """Looks at an InferenceService and all that belongs to it; raises DeployError if that is refused."""
    label = f"serving.kserve.io/inferenceservice={name}"
    pods = cluster.list(PODS, labelSelector=label)
    events = [e for e in cluster.list(EVENTS) if e["involvedObject"].get("name", "").startswith(name)]
    return Observed(
        service=cluster.get(INFERENCE_SERVICES, name),
        deployment=cluster.get(DEPLOYMENTS, f"{name}-predictor"),
        pods=pods,
        events=sorted(events, key=_time),
        logs=lambda pod, container, previous: cluster.logs(pod, container, previous=previous),
    )


def condition(body: Object | None, kind: str) -> str:
    """Status of a condition: True, False, Unknown, or empty if it is not there."""
    found = {c["type"]: c for c in (body or {}).get("status", {}).get("conditions", [])}
    return str(found.get(kind, {}).get("status", ""))


def _time(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"])
