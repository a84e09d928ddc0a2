"""Rollout of one version: tried on a candidate, applied, and reverted on any failure."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster, Object
from phytoflow.deploy.kubernetes.autoscaling import remove_previous_scaler
from phytoflow.deploy.kubernetes.canary import check_canary, drain_canary, wait_for_share, with_canary
from phytoflow.deploy.kubernetes.inference_service import (
    accelerators_of,
    candidate_name,
    candidate_of,
    revision_of,
)
from phytoflow.deploy.kubernetes.lease import HeldLease
from phytoflow.deploy.kubernetes.readiness import (
    ReadinessTimeouts,
    ReadinessTiming,
    wait_until_gone,
    wait_until_ready,
)
from phytoflow.deploy.kubernetes.revisions import Revision, record_revision
from phytoflow.deploy.kubernetes.smoke_test import SmokeTest, run_smoke_test
from phytoflow.deploy.settings import DeploySettings
from phytoflow.errors import DeployError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rollout:
    """A publish in progress.

    Attributes:
        cluster: Where to publish.
        lease: The publisher's Lease. Nothing is written once it is lost.
        settings: Placement and timeouts.
        smoke_test: Test that every new pod must pass.
        previous: The last good spec, or None.
        timing: Intervals of waiting.
    """

    cluster: Cluster
    lease: HeldLease
    settings: DeploySettings
    smoke_test: SmokeTest
    previous: Revision | None
    timing: ReadinessTiming = field(default_factory=ReadinessTiming)

    def try_candidate(self, body: Object) -> float:
        """Tries a version on a candidate that gets no traffic, and deletes the candidate.

        Returns:
            Largest absolute difference of a probability in the smoke test.

        Raises:
            DeployError: The candidate did not become ready or answers wrongly. Nothing was changed.
        """
        candidate = candidate_of(body, accelerated=self._candidate_gets_gpu(body))
        _LOG.info("trying the new version as %s, which gets no traffic", candidate["metadata"]["name"])
        try:
            difference = self.apply_and_verify(candidate)
            _LOG.info("the candidate answers as recorded (off by at most %.1e)", difference)
            return difference
        except DeployError as error:
            raise _append(error, f"nothing was changed: {self._what_serves}") from error
        finally:
            self.delete_candidate(body["metadata"]["name"])

    def add_canary(self, body: Object, percent: int) -> float:
        """Tries a version on a candidate, then gives it a share of the published version's requests.

        Returns:
            Largest absolute difference of a probability in the candidate's smoke test.

        Raises:
            DeployError: The cluster knows no canaries, the candidate failed, or KServe gives the canary no
                share. The published version serves alone.
        """
        assert self.previous
        combined = with_canary(self.previous.body, body, percent)
        check_canary(self.cluster, combined)
        difference = self.try_candidate(body)
        self.lease.check()
        _LOG.info("giving the new version %d%% of the requests", percent)
        name, limit = body["metadata"]["name"], self.settings.ready_timeout_seconds
        try:
            self.cluster.apply(INFERENCE_SERVICES, combined)
            wait_for_share(self.cluster, combined, limit, self.timing, self.lease.check)
        except DeployError as error:
            raise _append(error, self._restore(name)) from error
        except BaseException:
            self._restore(name)
            raise
        return difference

    def delete_candidate(self, name: str) -> None:
        """Deletes the candidate of a name, including one that a killed publisher left."""
        candidate = candidate_name(name)
        self.cluster.delete(INFERENCE_SERVICES, candidate)
        # What is applied to an object that is being deleted disappears with it.
        wait_until_gone(self.cluster, candidate, self.timing, pods=bool(self.settings.accelerators))

    def replace(self, body: Object) -> float:
        """Replaces the published version. Any failure, including an interrupt, restores the last good spec.

        Returns:
            Largest absolute difference of a probability in the smoke test.

        Raises:
            DeployError: Why it did not become ready, and what serves now.
        """
        name = body["metadata"]["name"]
        _LOG.info("rolling out %s", name)
        try:
            difference = self.apply_and_verify(body)
        except DeployError as error:
            raise _append(error, self._restore(name)) from error
        except BaseException:
            self._restore(name)
            raise
        service = self.cluster.get(INFERENCE_SERVICES, name)
        if service is None:
            raise DeployError(f"{name} was deleted while it was being published", reason="absent")
        record_revision(self.cluster, service, body)
        return difference

    def apply_and_verify(self, body: Object) -> float:
        """Applies a spec, waits until it is rolled out and runs the smoke test on every pod.

        Returns:
            Largest absolute difference of a probability.

        Raises:
            DeployError: The cluster refuses, a fault persists, or a pod fails the test.
        """
        self.lease.check()
        self._apply(body)
        name, revision = body["metadata"]["name"], revision_of(body)
        timeouts = ReadinessTimeouts(
            self.settings.ready_timeout_seconds, self.settings.startup_timeout_seconds
        )
        observation = wait_until_ready(
            self.cluster, name, revision, timeouts, timing=self.timing, check=self.lease.check
        )
        pods = [pod["metadata"]["name"] for pod in observation.pods_of(revision)]
        return max(run_smoke_test(self.cluster, pod, name, self.smoke_test) for pod in pods)

    def _restore(self, name: str) -> str:
        """Applies the last good spec again, or deletes what never served. Returns a sentence about it."""
        try:
            if self.previous is None:
                self.cluster.delete(INFERENCE_SERVICES, name)
                return f"{name} was deleted: no version of it has ever served"
            self._apply(self.previous.body)
            return f"the last good spec was restored: {self._what_serves}"
        except DeployError as error:
            _LOG.error("the last good spec of %s could not be restored: %s", name, error)
            remedy = f"run phytoflow rollback {name}"
            return f"the last good spec could NOT be restored ({error.message}): {remedy}"

    def _apply(self, body: Object) -> None:
        if self.previous and body["metadata"]["name"] == self.previous.body["metadata"]["name"]:
            drain_canary(self.cluster, self.previous.body, self.timing)
        self.cluster.apply(INFERENCE_SERVICES, body)
        remove_previous_scaler(self.cluster, body)

    def _candidate_gets_gpu(self, body: Object) -> bool:
        """Whether the candidate is tried with its GPU.

        Without a spare GPU, the new version will take over the GPU of a running pod. If its placement is the
        same, that is proved, and the candidate runs without one. A new placement is tried as it is.
        """
        if self.settings.surge_accelerator or not self.settings.accelerators or self.previous is None:
            return True
        return accelerators_of(body) != accelerators_of(self.previous.body)

    @property
    def _what_serves(self) -> str:
        if self.previous is None:
            return "nothing was published before"
        return f"version {self.previous.bundle_version} goes on serving"


def _append(error: DeployError, sentence: str) -> DeployError:
    return DeployError(f"{error.message}\n{sentence}", reason=error.reason, remedy=error.remedy)
