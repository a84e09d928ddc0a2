"""Waits until every replica has the wanted revision and is ready, or reports why that does not happen."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, PODS, Cluster
from phytoflow.deploy.kubernetes.diagnosis.pods import Reason
from phytoflow.deploy.kubernetes.diagnosis.reasons import diagnose
from phytoflow.deploy.kubernetes.inference_service import revision_of
from phytoflow.deploy.kubernetes.observe import Observation, condition_status, observe
from phytoflow.errors import DeployError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class ReadinessTiming:
    """Durations of the wait in seconds.

    Attributes:
        poll: Interval between two observations.
        patience: A fault must persist this long. Some disappear: a store restarts, a terminating pod frees
            its GPU.
        report: Interval of progress lines in the log.
        termination: Longest wait for deleted pods to disappear.
        clock: Monotonic clock.
        sleep: Waits that many seconds.
    """

    poll: float = 1.0
    patience: float = 20.0
    report: float = 10.0
    termination: float = 60.0
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class ReadinessTimeouts:
    """Limits of the wait in seconds.

    Attributes:
        ready: Longest wait for all replicas.
        startup: A predictor that runs this long without becoming ready has failed.
    """

    ready: float
    startup: float


def wait_until_ready(
    cluster: Cluster,
    name: str,
    revision: str,
    timeouts: ReadinessTimeouts,
    *,
    timing: ReadinessTiming | None = None,
    check: Callable[[], None] = lambda: None,
) -> Observation:
    """Waits until an InferenceService is rolled out.

    Args:
        cluster: Where it is.
        name: Name of the InferenceService.
        revision: Revision that every replica must have.
        timeouts: Limits of the wait.
        timing: Intervals.
        check: Called at each observation. An exception that it raises ends the wait.

    Returns:
        The observation that shows it ready.

    Raises:
        DeployError: A fault persisted for ``timing.patience``, or ``timeouts.ready`` passed.
    """
    timing = timing or ReadinessTiming()
    start = reported_at = timing.clock()
    reason, since = None, start
    while True:
        check()
        observation, now = observe(cluster, name), timing.clock()
        if observation.rolled_out(revision):
            return observation
        current = diagnose(observation, revision, timeouts.startup)
        if current is None or reason is None or current.kind != reason.kind:
            since = now
        reason = current
        if reason and now - since >= timing.patience:
            raise _fault_error(name, reason)
        if now - start > timeouts.ready:
            raise _timeout_error(name, timeouts.ready, observation, reason)
        if now - reported_at >= timing.report:
            reported_at = now
            state = reason.message.splitlines()[0] if reason else _progress(observation, revision)
            _LOG.info("%s: %s", name, state)
        timing.sleep(timing.poll)


def wait_until_gone(
    cluster: Cluster, name: str, timing: ReadinessTiming | None = None, *, pods: bool
) -> None:
    """Waits until a deleted InferenceService is gone, or the time is up.

    Args:
        cluster: Where it was.
        name: Name of the InferenceService. KServe's finalizer holds it for a while.
        timing: Intervals.
        pods: Also wait for its pods, whose GPUs are free only then.
    """
    label = f"serving.kserve.io/inferenceservice={name}"

    def remains() -> bool:
        if cluster.get(INFERENCE_SERVICES, name):
            return True
        return pods and bool(cluster.list(PODS, labelSelector=label))

    _wait_while(remains, timing or ReadinessTiming())


def wait_until_replaced(
    cluster: Cluster, name: str, revision: str, timing: ReadinessTiming | None = None
) -> None:
    """Waits until no pod of another revision is left, or the time is up.

    A pod that is being deleted answers on: on open connections, and on new ones until every node knows.

    Args:
        cluster: Where the InferenceService is.
        name: Its name.
        revision: The revision that was rolled out.
        timing: Intervals.
    """

    def remain() -> bool:
        return any(revision_of(pod) != revision for pod in observe(cluster, name).pods)

    _wait_while(remain, timing or ReadinessTiming())


def _wait_while(condition: Callable[[], bool], timing: ReadinessTiming) -> None:
    deadline = timing.clock() + timing.termination
    while condition() and timing.clock() < deadline:
        timing.sleep(timing.poll)


def _fault_error(name: str, reason: Reason) -> DeployError:
    return DeployError(f"{name}: {reason.message}", reason=reason.kind, remedy=reason.remedy)


def _timeout_error(name: str, seconds: float, observation: Observation, reason: Reason | None) -> DeployError:
    if reason:
        return _fault_error(name, reason)
    what = f"{name} was not ready within {seconds:g} s; pods: {_pod_phases(observation)}"
    remedy = "raise deploy.ready_timeout_seconds, or see kubectl describe pods"
    return DeployError(what, reason="late", remedy=remedy)


def _progress(observation: Observation, revision: str) -> str:
    if observation.deployment is None:
        return "waiting for KServe to create the Deployment"
    count = len([pod for pod in observation.pods_of(revision) if condition_status(pod, "Ready") == "True"])
    wanted = observation.deployment["spec"].get("replicas", 1)
    return f"{count} of {wanted} replicas ready ({_pod_phases(observation)})"


def _pod_phases(observation: Observation) -> str:
    phases = (f"{p['metadata']['name']} {p['status'].get('phase', '')}" for p in observation.pods)
    return ", ".join(phases) or "none"
