"""Diagnosis of KServe's storage initializer from the end of its log."""

from __future__ import annotations

from typing import Any

_CREDENTIALS = (
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AccessDenied",
    "Access Denied",
    "Forbidden",
    "(403)",
    "Unable to locate credentials",
    "NoCredentialsError",
)
_MISSING = (
    "NoSuchBucket",
    "NoSuchKey",
    "(404)",
    "Not Found",
    "not found",
    "No model found",
    "Failed to fetch model",
)
_ENDPOINT = ("EndpointConnectionError", "Could not connect", "Name or service not known", "timed out")


def diagnose_storage(log: str, pod: dict[str, Any]) -> tuple[str, str, str]:
    """Finds out why the bundle could not be downloaded.

    Args:
        log: The end of the initializer's log.
        pod: The pod, for the name of its ServiceAccount.

    Returns:
        Kind, message and remedy.
    """
    account, last = pod["spec"].get("serviceAccountName", "default"), _last_line(log)
    if any(text in log for text in _CREDENTIALS):
        what = f"the object store refuses the predictor's credentials: {last}"
        remedy = (
            f"check the keys in the Secret of ServiceAccount {account} (kubectl get sa {account} -o yaml)"
        )
        return "credentials", what, remedy
    if any(text in log for text in _ENDPOINT):
        remedy = f"check the s3-endpoint annotation on the Secret of ServiceAccount {account}"
        return "storage", f"the object store cannot be reached from the cluster: {last}", remedy
    if any(text in log for text in _MISSING):
        remedy = f"check --bundle, and that the s3-endpoint of ServiceAccount {account} is the store it is in"
        return "bundle", f"the bundle is not where the cluster looks for it: {last}", remedy
    return "storage", f"the bundle cannot be fetched: {last}", f"check the Secret of ServiceAccount {account}"


def _last_line(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1][:400] if lines else "(no log)"
