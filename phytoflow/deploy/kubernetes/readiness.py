"""Waits until every replica is of the wanted revision and ready, or says why that does not happen."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from phytoflow.deploy.kubernetes.api import PODS, Cluster
from phytoflow.deploy.kubernetes.diagnosis.pods import Reason
from phytoflow.deploy.kubernetes.diagnosis.reasons import why_not_ready
from phytoflow.deploy.kubernetes.observe import Observed, condition, observe
from phytoflow.errors import DeployError

_POLL_SECONDS = 1.0
_PATIENCE_SECONDS = 20.0  # some faults mend themselves: a store restarts, a pod on its way out frees its GPU
_TELL_SECONDS = 10.0
_LOG = logging.getLogger(__name__)


def await_ready(
    cluster: Cluster,
    name: str,
    revision: str,
    *,
    seconds: float,
    startup_timeout_seconds: float,
    check: Callable[[], None] = lambda: None,
) -> Observed:
    """Waits.

    Args:
        cluster: Where.
        name: Of the InferenceService.
        revision: That every replica is to be of.
        seconds: Longest wait.
        startup_timeout_seconds: A predictor that runs this long without becoming ready has failed.
        check: Called at each look; what it raises ends the wait.

    Returns:
        What is there once it is ready.

    Raises:
        DeployError: Why it is not ready; once the same reason has stood for 20 seconds.
    """
    start = told = time.monotonic()
    reason, since = None, start
    while True:
        check()
        seen, now = observe(cluster, name), time.monotonic()
        if seen.rolled_out(revision):
            return seen
        found = why_not_ready(seen, revision, startup_timeout_seconds)
        if found is None or reason is None or found.kind != reason.kind:
            since = now
        reason = found
        if reason and now - since >= _PATIENCE_SECONDS:
            raise _error(name, reason)
        if now - start > seconds:
            raise _late(name, seconds, seen, reason)
        if now - told >= _TELL_SECONDS:
            told = now
            _LOG.info("%s: %s", name, reason.message.splitlines()[0] if reason else _progress(seen, revision))
        time.sleep(_POLL_SECONDS)


def await_gone(cluster: Cluster, name: str, seconds: float = 60.0) -> None:
    """Waits until no pod of an InferenceService is left, or time is up: only then its GPU is free."""
    label, deadline = f"serving.kserve.io/inferenceservice={name}", time.monotonic() + seconds
    while cluster.list(PODS, labelSelector=label) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _error(name: str, reason: Reason) -> DeployError:
    return DeployError(f"{name}: {reason.message}", reason=reason.kind, remedy=reason.remedy)


def _late(name: str, seconds: float, seen: Observed, reason: Reason | None) -> DeployError:
    if reason:
        return _error(name, reason)
    what = f"{name} was not ready within {seconds:g} s; pods: {_phases(seen)}"
    return DeployError(
        what, reason="late", remedy="raise deploy.ready_timeout_seconds, or see kubectl describe pods"
    )


def _progress(seen: Observed, revision: str) -> str:
    if seen.deployment is None:
        return "waiting for KServe to make the Deployment"
    count = len([pod for pod in seen.pods_of(revision) if condition(pod, "Ready") == "True"])
    wanted = seen.deployment["spec"].get("replicas", 1)
    return f"{count} of {wanted} replicas ready ({_phases(seen)})"


def _phases(seen: Observed) -> str:
    return ", ".join(f"{p['metadata']['name']} {p['status'].get('phase', '')}" for p in seen.pods) or "none"
