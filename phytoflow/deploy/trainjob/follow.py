"""Follows a TrainJob from its submission to its end: its log, why it waits, and what it ends with."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from phytoflow.deploy.kubernetes.api import PODS, Cluster, Object
from phytoflow.deploy.kubernetes.diagnosis.pods import Reason
from phytoflow.deploy.trainjob.diagnosis import JobState, diagnose, explain_failure, observe
from phytoflow.deploy.trainjob.render import CONTAINER
from phytoflow.errors import DeployError

_POLL_SECONDS = 2.0
_QUIET_SECONDS = 10.0  # before a reason is said: a pod is unschedulable for a moment while nodes are found
_FAILED = "Failed"
_LOG = logging.getLogger(__name__)


@dataclass
class JobLog:
    """The log of a TrainJob's first pod, each line once, over restarts.

    Attributes:
        cluster: Where the pod is.
        write: Takes each new line.
    """

    cluster: Cluster
    write: Callable[[str], object]
    _pod: str = ""
    _last: str = ""

    def read(self, pod: Object | None) -> None:
        """Writes what is new; a pod without a log yet has nothing new."""
        if pod is None or pod.get("status", {}).get("phase") in (None, "Pending"):
            return
        name = pod["metadata"]["name"]
        if name != self._pod:
            self._pod, self._last = name, ""
        query = {"container": CONTAINER, "timestamps": "true"}
        if self._last:
            query["sinceTime"] = self._last[:19] + "Z"  # of the second: lines of the same one are told apart
        with contextlib.suppress(DeployError):
            path = f"{PODS.format(namespace=self.cluster.namespace)}/{name}/log"
            for line in self.cluster.request("GET", path, query=query).decode(errors="replace").splitlines():
                self._take(line)

    def _take(self, line: str) -> None:
        moment, _, text = line.partition(" ")
        if moment > self._last:
            self._last = moment
            self.write(text)


@dataclass
class Follower:
    """Watches a TrainJob.

    Attributes:
        cluster: Where it is.
        name: Its name.
        nodes: Number of its pods.
        start_timeout: Seconds in which all pods must run.
        write: Takes each line of its log.
        clock: Seconds, monotonic.
        sleep: Waits some seconds.
    """

    cluster: Cluster
    name: str
    nodes: int
    start_timeout: float
    write: Callable[[str], object] = print
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep
    _said: str = field(default="", init=False)
    _since: dict[str, float] = field(default_factory=dict, init=False)

    def wait(self) -> None:
        """Returns when the TrainJob has completed.

        Raises:
            DeployError: It failed, is gone, or its pods did not start in time; says why.
        """
        log, idle_since = JobLog(self.cluster, self.write), self.clock()
        while True:
            state = observe(self.cluster, self.name, self.nodes)
            log.read(state.first_pod)
            if state.condition("Complete") is not None:
                return
            if state.job is None or state.condition(_FAILED) is not None:
                raise self._failure(state)
            if state.running >= self.nodes:
                idle_since, self._said = self.clock(), ""
                self._since.clear()
            reason = self._explain(state)
            if self.clock() - idle_since > self.start_timeout:
                raise self._late(reason)
            self.sleep(_POLL_SECONDS)

    def _explain(self, state: JobState) -> Reason | None:
        """Says why the TrainJob waits, once for each reason that lasts."""
        reason = diagnose(state)
        if reason is None:
            return None
        since = self._since.setdefault(reason.kind, self.clock())
        if self.clock() - since >= _QUIET_SECONDS and self._said != reason.kind:
            self._said = reason.kind
            _LOG.warning(
                "the TrainJob %s waits: %s. What to do: %s", self.name, reason.message, reason.remedy
            )
        return reason

    def _late(self, reason: Reason | None) -> DeployError:
        minutes = f"{self.start_timeout / 60:g} minutes"
        what = reason.message if reason else "its pods are still starting"
        remedy = reason.remedy if reason else "see `kubectl describe trainjob`"
        kind = reason.kind if reason else "timeout"
        return DeployError(
            f"the TrainJob {self.name} did not start within {minutes}: {what}", reason=kind, remedy=remedy
        )

    def _failure(self, state: JobState) -> DeployError:
        pod = state.first_pod
        log = self.cluster.logs(pod["metadata"]["name"], CONTAINER) if pod else ""
        remedy = "its checkpoints stay: the same run resumes"
        return DeployError(explain_failure(state, log), reason="trainjob", remedy=remedy)
