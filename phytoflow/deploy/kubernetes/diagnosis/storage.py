"""Why KServe's storage initializer could not bring the bundle, from the end of its log."""

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


def why(log: str, pod: dict[str, Any]) -> tuple[str, str, str]:
    """Kind, message and remedy.

    Args:
        log: The end of the initializer's log.
        pod: Says which ServiceAccount it ran as.
    """
    account, last = pod["spec"].get("serviceAccountName", "default"), _last(log)
    if any(word in log for word in _CREDENTIALS):
        what = f"the object store refuses the predictor's credentials: {last}"
        remedy = (
            f"check the keys in the Secret of ServiceAccount {account} (kubectl get sa {account} -o yaml)"
        )
        return "credentials", what, remedy
    if any(word in log for word in _ENDPOINT):
        remedy = f"check the s3-endpoint annotation on the Secret of ServiceAccount {account}"
        return "storage", f"the object store cannot be reached from the cluster: {last}", remedy
    if any(word in log for word in _MISSING):
        remedy = f"check --bundle, and that the s3-endpoint of ServiceAccount {account} is the store it is in"
        return "bundle", f"the bundle is not where the cluster looks for it: {last}", remedy
    return "storage", f"the bundle cannot be fetched: {last}", f"check the Secret of ServiceAccount {account}"


def _last(log: str) -> str:
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    return lines[-1][:400] if lines else "(no log)"
