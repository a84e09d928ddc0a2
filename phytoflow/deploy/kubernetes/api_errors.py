"""What the API server, its webhooks and its quotas say, in a person's words."""

from __future__ import annotations

import json
from http import HTTPStatus

from phytoflow.errors import DeployError

# Words in a message, the reason's short name, and what to do; the first that fits counts.
_WORDS = (
    (
        "exceeded quota",
        "quota",
        "free some of the quota (kubectl describe resourcequota), have it raised, or ask for less: "
        "deploy.cpu, deploy.memory, deploy.accelerators, deploy.max_replicas",
    ),
    (
        '(container "storage-initializer" must set',
        "policy",
        "give KServe's storage initializer a securityContext, as KServe's own manifests do (kubectl edit "
        "clusterstoragecontainer default): allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}",
    ),
    (
        "violates PodSecurity",
        "policy",
        "the namespace asks for more security than the runtime's containers have: use the project's "
        "ServingRuntime, or another namespace",
    ),
    (
        "failed calling webhook",
        "webhook",
        "an admission webhook does not answer: is KServe's controller (namespace kserve) running?",
    ),
    ("denied the request", "webhook", "an admission webhook refuses this: change what it names, or its rule"),
    (
        "error looking up service account",
        "service account",
        "apply the project's manifests in this namespace, or set deploy.service_account",
    ),
    (
        "no PriorityClass with name",
        "priority",
        "apply the project's manifests (priorities), or set deploy.priority_class to one there is, or empty",
    ),
    (
        "StorageUri",
        "bundle",
        "give the bundle as s3://bucket/prefix",
    ),
    (
        "LimitRange",
        "limits",
        "change deploy.cpu, deploy.memory and their requests, or the namespace's LimitRange",
    ),
    (
        "maximum cpu usage",
        "limits",
        "change deploy.cpu and deploy.cpu_request, or the namespace's LimitRange",
    ),
    (
        "maximum memory usage",
        "limits",
        "change deploy.memory and deploy.memory_request, or the namespace's LimitRange",
    ),
)


def words(message: str) -> tuple[str, str] | None:
    """Reason and remedy for a message of the control plane; None for an unknown one."""
    found = (line for line in _WORDS if line[0] in message)
    line = next(found, None)
    return line[1:] if line else None


def refused(status: int, body: str | bytes | None, request: str) -> DeployError:
    """The error that an answer other than 2xx stands for.

    Args:
        status: HTTP status; 0 where TLS failed.
        body: A Kubernetes ``Status`` object, or text.
        request: Method and path, for what has no words of its own.
    """
    message = _message(body)
    if known := words(message):
        return DeployError(f"the cluster refuses: {message}", reason=known[0], remedy=known[1])
    if status == HTTPStatus.FORBIDDEN:
        return DeployError(f"not allowed: {message}", reason="permission", remedy=_PERMISSION)
    if status == HTTPStatus.UNAUTHORIZED:
        remedy = "log in anew: kubectl get pods must work with the same KUBECONFIG"
        return DeployError("the cluster does not know these credentials", reason="credentials", remedy=remedy)
    if status == HTTPStatus.NOT_FOUND:
        return _absent(message, request)
    if status == HTTPStatus.CONFLICT:
        return DeployError(f"somebody else wrote at the same time: {message}", reason="conflict")
    return DeployError(f"{request}: the cluster answers {status}: {message}", reason="refused")


def unreachable(host: str, error: Exception) -> DeployError:
    """The error of a cluster that does not answer."""
    remedy = "check that kubectl works with the same KUBECONFIG"
    return DeployError(f"the cluster at {host} cannot be reached: {error}", reason="cluster", remedy=remedy)


_PERMISSION = (
    "apply the project's manifests (Role phytoflow-publisher) in this namespace, or publish as somebody who "
    "may write InferenceServices there"
)


def _absent(message: str, request: str) -> DeployError:
    """A missing object, or a missing kind: then KServe itself is not there."""
    if "page not found" in message or "could not find the requested resource" in message:
        remedy = "install KServe (docs/cluster.md)"
        return DeployError(f"the cluster knows no such thing: {request}", reason="kserve", remedy=remedy)
    return DeployError(f"not there: {message}", reason="absent")


def _message(body: str | bytes | None) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()[:500]
