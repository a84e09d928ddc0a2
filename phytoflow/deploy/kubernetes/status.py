"""What is published under a name, in a few lines."""

from __future__ import annotations

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster, Object
from phytoflow.deploy.kubernetes.diagnosis.reasons import why_not_ready
from phytoflow.deploy.kubernetes.inference_service import BUNDLE_VERSION, candidate_name, revision_of
from phytoflow.deploy.kubernetes.lease import holder
from phytoflow.deploy.kubernetes.observe import Observed, observe
from phytoflow.deploy.kubernetes.revisions import history
from phytoflow.errors import DeployError

_FACTS = ("model-version", "run", "data-hash", "code-version", "accuracy", "macro-f1")


def status(cluster: Cluster, name: str) -> list[tuple[str, str]]:
    """Lines of name and value.

    Raises:
        DeployError: There is no such InferenceService, or the cluster cannot be asked.
    """
    seen = observe(cluster, name)
    if seen.service is None:
        what = f"there is no InferenceService {name} in namespace {cluster.namespace}"
        raise DeployError(what, reason="absent", remedy=f"phytoflow deploy {name} --bundle s3://…")
    annotations = seen.service["metadata"].get("annotations") or {}
    lines = [("InferenceService", f"{cluster.namespace}/{name}"), ("ready", _ready(seen))]
    lines += [("replicas", _replicas(seen)), ("bundle", _bundle_uri(seen.service))]
    lines += [("version", annotations.get(BUNDLE_VERSION, "unknown"))]
    lines += [(f, annotations[f"phytoflow/{f}"]) for f in _FACTS if f"phytoflow/{f}" in annotations]
    if cluster.get(INFERENCE_SERVICES, candidate_name(name)):
        lines.append(("candidate", f"{candidate_name(name)} is being tried"))
    if publisher := holder(cluster, name):
        lines.append(("publisher", publisher))
    current = revision_of(seen.service)
    for old in reversed(history(cluster, name)):
        mark = " (serves now)" if old.revision == current else ""
        lines.append((f"good spec {old.number}", f"version {old.bundle_version}, {old.bundle_uri}{mark}"))
    return lines


def _ready(seen: Observed) -> str:
    current = revision_of(seen.service)
    if seen.rolled_out(current):
        return "yes"
    reason = why_not_ready(seen, current)
    return f"no: {reason.message}\n{reason.remedy}" if reason else "not yet: replicas are on their way"


def _replicas(seen: Observed) -> str:
    deployment = seen.deployment or {"spec": {}, "status": {}}
    ready = deployment.get("status", {}).get("readyReplicas", 0)
    return f"{ready} ready of {deployment['spec'].get('replicas', 0)}"


def _bundle_uri(service: Object) -> str:
    model = service["spec"]["predictor"].get("model", {})
    return str(model.get("storageUri", "none"))
