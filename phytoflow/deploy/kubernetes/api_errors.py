"""Errors of the API server, admission webhooks and quotas, each with its cause and a remedy."""

from __future__ import annotations

import json
from http import HTTPStatus

from phytoflow.errors import DeployError

# Text in a message of the control plane, the reason's name, and the remedy. The first match is used.
_KNOWN_MESSAGES = (
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


def explain_message(message: str) -> tuple[str, str] | None:
    """Returns the reason and the remedy for a message of the control plane, or None for an unknown one."""
    for text, reason, remedy in _KNOWN_MESSAGES:
        if text in message:
            return reason, remedy
    return None


def error_from_response(status: int, body: str | bytes | None, request: str) -> DeployError:
    """Builds the error for a response outside 2xx.

    Args:
        status: HTTP status. 0 if TLS failed.
        body: A Kubernetes ``Status`` object or plain text.
        request: Method and path, named if the message is not a known one.
    """
    message = _message(body)
    if known := explain_message(message):
        return DeployError(f"the cluster refuses: {message}", reason=known[0], remedy=known[1])
    if status == HTTPStatus.FORBIDDEN:
        return DeployError(f"not allowed: {message}", reason="permission", remedy=_PERMISSION_REMEDY)
    if status == HTTPStatus.UNAUTHORIZED:
        remedy = "log in again: kubectl get pods must work with the same KUBECONFIG"
        return DeployError("the cluster rejects these credentials", reason="credentials", remedy=remedy)
    if status == HTTPStatus.NOT_FOUND:
        return _not_found_error(message, request)
    if status == HTTPStatus.CONFLICT:
        return DeployError(f"another client wrote at the same time: {message}", reason="conflict")
    return DeployError(f"{request}: the cluster answers {status}: {message}", reason="refused")


def unreachable_error(host: str, error: Exception) -> DeployError:
    """Builds the error for a cluster that does not answer."""
    remedy = "check that kubectl works with the same KUBECONFIG"
    return DeployError(f"the cluster at {host} cannot be reached: {error}", reason="cluster", remedy=remedy)


_PERMISSION_REMEDY = (
    "set deploy.namespace to a namespace in which this account may write InferenceServices, or have the Role "
    "phytoflow-publisher (manifests/publishing) bound to it in the namespace named above"
)


def _not_found_error(message: str, request: str) -> DeployError:
    """Tells a missing object from a missing kind, which means that KServe is not installed."""
    if "page not found" in message or "could not find the requested resource" in message:
        remedy = "install KServe (docs/how-to/cluster.md)"
        return DeployError(f"the cluster has no such kind: {request}", reason="kserve", remedy=remedy)
    return DeployError(f"not found: {message}", reason="absent")


def _message(body: str | bytes | None) -> str:
    text = body.decode(errors="replace") if isinstance(body, bytes) else body or ""
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text.strip()[:500]
