"""One version's way into service: tried on a candidate, rolled out, put back if anything goes wrong."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from phytoflow.deploy.kubernetes import autoscaling as scaling
from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster, Object
from phytoflow.deploy.kubernetes.inference_service import (
    accelerators_of,
    candidate_name,
    candidate_of,
    revision_of,
)
from phytoflow.deploy.kubernetes.lease import Held
from phytoflow.deploy.kubernetes.readiness import await_gone, await_ready
from phytoflow.deploy.kubernetes.revisions import Revision, remember
from phytoflow.deploy.kubernetes.smoke_test import Exam, examine
from phytoflow.deploy.settings import DeploySettings
from phytoflow.errors import DeployError

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Rollout:
    """A publish under way.

    Attributes:
        cluster: Where.
        held: The Lease: nothing is written once it is lost.
        settings: How long to wait.
        exam: What every new pod must answer right.
        former: The last good spec, if there is one to go back to.
    """

    cluster: Cluster
    held: Held
    settings: DeploySettings
    exam: Exam
    former: Revision | None

    def rehearse(self, body: Object) -> None:
        """Tries a version on a candidate that gets no traffic; raises DeployError if it is not good."""
        tried = candidate_of(body, accelerated=self._finds_gpu(body))
        _LOG.info("trying the new version as %s, which gets no traffic", tried["metadata"]["name"])
        try:
            difference = self.arrive(tried)
            _LOG.info("the candidate answers as recorded (off by at most %.1e)", difference)
        except DeployError as error:
            raise _with(error, f"nothing was changed: {self._still}") from error
        finally:
            self.clear_candidate(body["metadata"]["name"])

    def clear_candidate(self, name: str) -> None:
        """Removes the candidate of a name, also one that a killed publisher left."""
        self.cluster.delete(INFERENCE_SERVICES, candidate_name(name))
        if self.settings.accelerators:
            await_gone(self.cluster, candidate_name(name))

    def replace(self, body: Object) -> float:
        """Replaces what serves; on any failure, also an interrupt, the last good spec comes back.

        Returns:
            Largest difference of a probability.

        Raises:
            DeployError: Why it did not become ready, and what serves now.
        """
        name = body["metadata"]["name"]
        _LOG.info("rolling out %s", name)
        try:
            difference = self.arrive(body)
        except DeployError as error:
            raise _with(error, self._put_back(name)) from error
        except BaseException:
            self._put_back(name)
            raise
        service = self.cluster.get(INFERENCE_SERVICES, name)
        if service is None:
            raise DeployError(f"somebody deleted {name} while it was published", reason="absent")
        remember(self.cluster, service, body)
        return difference

    def arrive(self, body: Object) -> float:
        """Applies, awaits and asks every new pod; returns the largest difference of a probability."""
        self.held.check()
        self._apply(body)
        name, revision = body["metadata"]["name"], revision_of(body)
        seen = await_ready(
            self.cluster,
            name,
            revision,
            seconds=self.settings.ready_timeout_seconds,
            startup_timeout_seconds=self.settings.startup_timeout_seconds,
            check=self.held.check,
        )
        pods = [pod["metadata"]["name"] for pod in seen.pods_of(revision)]
        return max(examine(self.cluster, pod, name, self.exam) for pod in pods)

    def _put_back(self, name: str) -> str:
        """Applies the last good spec again, or removes what never was good; says so."""
        try:
            if self.former is None:
                self.cluster.delete(INFERENCE_SERVICES, name)
                return f"{name} was removed: no version of it has ever served"
            self._apply(self.former.body)
            return f"the last good spec was put back: {self._still}"
        except DeployError as error:
            _LOG.error("the last good spec of %s could not be put back: %s", name, error)
            return (
                f"the last good spec could NOT be put back ({error.message}): run phytoflow rollback {name}"
            )

    def _apply(self, body: Object) -> None:
        self.cluster.apply(INFERENCE_SERVICES, body)
        scaling.remove_former(self.cluster, body)

    def _finds_gpu(self, body: Object) -> bool:
        """Whether a candidate gets its GPU.

        Where none is spare, the new version takes the place of a pod with the same GPU: that one will do, so
        the candidate is tried without. A placement that nothing has proved yet is tried as it is.
        """
        if self.settings.surge_accelerator or not self.settings.accelerators or self.former is None:
            return True
        return accelerators_of(body) != accelerators_of(self.former.body)

    @property
    def _still(self) -> str:
        if self.former is None:
            return "nothing was published before"
        return f"version {self.former.bundle_version} goes on serving"


def _with(error: DeployError, sentence: str) -> DeployError:
    return DeployError(f"{error.message}\n{sentence}", reason=error.reason, remedy=error.remedy)
