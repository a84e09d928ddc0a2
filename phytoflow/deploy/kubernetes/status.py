"""Summary of what is published under a name."""

from __future__ import annotations

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster, Object
from phytoflow.deploy.kubernetes.canary import describe_canary
from phytoflow.deploy.kubernetes.diagnosis.reasons import diagnose
from phytoflow.deploy.kubernetes.inference_service import BUNDLE_VERSION, candidate_name, revision_of
from phytoflow.deploy.kubernetes.lease import lease_holder
from phytoflow.deploy.kubernetes.observe import Observation, observe
from phytoflow.deploy.kubernetes.revisions import history
from phytoflow.errors import DeployError

_FACTS = ("model-version", "run", "data-hash", "code-version", "accuracy", "macro-f1")


def describe_status(cluster: Cluster, name: str) -> list[tuple[str, str]]:
    """Returns pairs of label and value.

    Raises:
        DeployError: There is no such InferenceService, or the cluster cannot be reached.
    """
    observation = observe(cluster, name)
    if observation.service is None:
        what = f"there is no InferenceService {name} in namespace {cluster.namespace}"
        raise DeployError(what, reason="absent", remedy=f"phytoflow deploy {name} --bundle s3://…")
    lines = [("InferenceService", f"{cluster.namespace}/{name}"), ("ready", _ready(observation))]
    lines += [("replicas", _replicas(observation)), ("bundle", _bundle_uri(observation.service))]
    lines += _provenance(observation.service) + describe_canary(observation.service)
    if cluster.get(INFERENCE_SERVICES, candidate_name(name)):
        lines.append(("candidate", f"{candidate_name(name)} is being tried"))
    if publisher := lease_holder(cluster, name):
        lines.append(("publisher", publisher))
    return lines + _history(cluster, name, revision_of(observation.service))


def _provenance(service: Object) -> list[tuple[str, str]]:
    annotations = service["metadata"].get("annotations") or {}
    lines = [("version", annotations.get(BUNDLE_VERSION, "unknown"))]
    return lines + [(f, annotations[f"phytoflow/{f}"]) for f in _FACTS if f"phytoflow/{f}" in annotations]


def _history(cluster: Cluster, name: str, current: str) -> list[tuple[str, str]]:
    lines = []
    for revision in reversed(history(cluster, name)):
        mark = " (serves now)" if revision.revision == current else ""
        value = f"version {revision.bundle_version}, {revision.bundle_uri}{mark}"
        lines.append((f"good spec {revision.number}", value))
    return lines


def _ready(observation: Observation) -> str:
    current = revision_of(observation.service)
    if observation.rolled_out(current):
        return "yes"
    reason = diagnose(observation, current)
    return f"no: {reason.message}\n{reason.remedy}" if reason else "not yet: replicas are starting"


def _replicas(observation: Observation) -> str:
    deployment = observation.deployment or {"spec": {}, "status": {}}
    ready = deployment.get("status", {}).get("readyReplicas", 0)
    return f"{ready} ready of {deployment['spec'].get('replicas', 0)}"


def _bundle_uri(service: Object) -> str:
    model = service["spec"]["predictor"].get("model", {})
    return str(model.get("storageUri", "none"))
