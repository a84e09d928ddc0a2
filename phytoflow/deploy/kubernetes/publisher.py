"""Publishes a bundle under a name, or returns to a version that served before."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster, Object
from phytoflow.deploy.kubernetes.inference_service import (
    CANDIDATE_SUFFIX,
    PART_OF,
    Release,
    inference_service,
    revision_of,
)
from phytoflow.deploy.kubernetes.lease import LeaseTiming, exclusive_publisher
from phytoflow.deploy.kubernetes.readiness import ReadinessTiming
from phytoflow.deploy.kubernetes.revisions import Revision, history
from phytoflow.deploy.kubernetes.rollout import Rollout
from phytoflow.deploy.kubernetes.smoke_test import SmokeTest
from phytoflow.deploy.settings import DeploySettings
from phytoflow.errors import ConfigError, DeployError

MAX_NAME = 40  # NAME-candidate-predictor and a replica set's suffix must fit into Kubernetes' 63 characters
_NAME = re.compile(r"[a-z]([-a-z0-9]*[a-z0-9])?")  # DNS-1035 label, as Services must have
_MANAGED_BY = "app.kubernetes.io/managed-by"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class PublishTiming:
    """Intervals of a publish.

    Attributes:
        lease: Durations of the publisher's Lease.
        readiness: Intervals of waiting for replicas.
    """

    lease: LeaseTiming = field(default_factory=LeaseTiming)
    readiness: ReadinessTiming = field(default_factory=ReadinessTiming)


@dataclass(frozen=True)
class PublishResult:
    """An InferenceService that answers.

    Attributes:
        name: Name of the InferenceService and of the served model.
        namespace: Its namespace.
        url: REST address inside the cluster.
        version: Bundle version.
        revision: Hash of the spec.
        changed: False if the same spec was published already.
        canary_percent: Share of the requests that the version gets; 0: all of them.
        compared: Number of photos in the smoke test.
        max_difference: Largest absolute difference of a probability.
        seconds: Duration of the publish.
    """

    name: str
    namespace: str
    url: str
    version: str
    revision: str
    changed: bool
    compared: int
    max_difference: float
    seconds: float
    canary_percent: int = 0


def deploy(
    cluster: Cluster,
    name: str,
    release: Release,
    smoke_test: SmokeTest,
    settings: DeploySettings,
    timing: PublishTiming | None = None,
) -> PublishResult:
    """Publishes a bundle under a name. Publishing the same spec again changes nothing.

    Args:
        cluster: Where to publish.
        name: Name of the InferenceService and the served model.
        release: The bundle.
        smoke_test: Test that every pod must pass before it gets traffic.
        settings: Sizes, placement, autoscaling and timeouts.
        timing: Intervals of waiting.

    Raises:
        ConfigError: The name cannot be served.
        DeployError: Why it was not published. The version published before goes on serving.
    """
    check_name(name)
    timing = timing or PublishTiming()
    body, start = inference_service(name, cluster.namespace, release, settings), time.monotonic()
    with exclusive_publisher(cluster, name, settings.ready_timeout_seconds, timing.lease) as lease:
        live = _require_ours(cluster.get(INFERENCE_SERVICES, name), name)
        good = history(cluster, name) if live else []
        previous = good[-1] if good else None
        rollout = Rollout(cluster, lease, settings, smoke_test, previous, timing.readiness)
        rollout.delete_candidate(name)
        percent = 0
        if previous and revision_of(live) == previous.revision == revision_of(body):
            changed, difference = _reapply(rollout, body)
        elif previous and settings.canary_percent:
            percent = settings.canary_percent
            changed, difference = True, rollout.add_canary(body, percent)
        else:
            rollout.try_candidate(body)
            changed, difference = True, rollout.replace(body)
    result = _result(cluster, body, smoke_test, start, changed=changed, difference=difference)
    return replace(result, canary_percent=percent)


def check_name(name: str) -> None:
    """Checks that a name can be that of an InferenceService, its Services and its candidate.

    Raises:
        ConfigError: It cannot.
    """
    if len(name) > MAX_NAME:
        remedy = "choose a shorter one"
        raise ConfigError(f"the name {name} has more than {MAX_NAME} characters", remedy=remedy)
    if not _NAME.fullmatch(name):
        what = f"the name {name!r} is not one that Kubernetes takes"
        remedy = "use lower-case letters a to z, digits and hyphens, beginning with a letter: leaf-2"
        raise ConfigError(f"{what}: it must consist of lower-case letters, digits and hyphens", remedy=remedy)
    if name.endswith(CANDIDATE_SUFFIX):
        what = f"the name {name} is that of the candidate of {name.removesuffix(CANDIDATE_SUFFIX)}"
        raise ConfigError(what, remedy=f"choose one that does not end in {CANDIDATE_SUFFIX}")


def rollback(
    cluster: Cluster,
    name: str,
    smoke_test_of: Callable[[Revision], SmokeTest],
    settings: DeploySettings,
    to: int = 0,
    timing: PublishTiming | None = None,
) -> PublishResult:
    """Returns to a spec that served before.

    Args:
        cluster: Where the InferenceService is.
        name: Its name.
        smoke_test_of: Makes the smoke test of a spec. It may raise if the bundle no longer exists.
        settings: Timeouts.
        to: Number of the spec in the history. 0 selects the newest that is not the present one.
        timing: Intervals of waiting.

    Raises:
        DeployError: There is no such spec, or it does not become ready. The present one goes on serving.
    """
    timing, start = timing or PublishTiming(), time.monotonic()
    with exclusive_publisher(cluster, name, settings.ready_timeout_seconds, timing.lease) as lease:
        live = _require_ours(cluster.get(INFERENCE_SERVICES, name), name)
        good = history(cluster, name) if live else []
        target = _select_target(name, good, revision_of(live), to)
        smoke_test = smoke_test_of(target)
        _LOG.info("rolling back to version %s (number %d)", target.bundle_version, target.number)
        rollout = Rollout(cluster, lease, settings, smoke_test, good[-1], timing.readiness)
        difference = rollout.replace(target.body)
    return _result(cluster, target.body, smoke_test, start, changed=True, difference=difference)


def _reapply(rollout: Rollout, body: Object) -> tuple[bool, float]:
    """Applies the published spec again, which ends a canary and reverts changes made by hand.

    Returns:
        Whether anything was changed, and the largest difference of a probability.
    """
    before = _generation(rollout.cluster, body)
    difference = rollout.apply_and_verify(body)
    if drifted := _generation(rollout.cluster, body) != before:
        _LOG.info("%s differed from the published spec, which is restored", body["metadata"]["name"])
    else:
        _LOG.info("%s serves this already: nothing to do", body["metadata"]["name"])
    return drifted, difference


def _generation(cluster: Cluster, body: Object) -> object:
    service = cluster.get(INFERENCE_SERVICES, body["metadata"]["name"])
    return service["metadata"]["generation"] if service else None


def _select_target(name: str, good: list[Revision], live: str, to: int) -> Revision:
    others = [revision for revision in good if revision.revision != live and to in (0, revision.number)]
    if not others:
        numbers = ", ".join(str(revision.number) for revision in good) or "none"
        what = f"{name} has no other good spec {to}" if to else f"{name} has no good spec to go back to"
        remedy = "see `phytoflow status`"
        raise DeployError(f"{what}; the history has: {numbers}", reason="absent", remedy=remedy)
    return others[-1]


def _require_ours(live: Object | None, name: str) -> Object | None:
    if live and (live["metadata"].get("labels") or {}).get(_MANAGED_BY) != PART_OF[_MANAGED_BY]:
        what = f"there is an InferenceService {name} that phytoflow did not make"
        raise DeployError(what, reason="conflict", remedy="choose another name, or delete it first")
    return live


def _result(
    cluster: Cluster, body: Object, smoke_test: SmokeTest, start: float, *, changed: bool, difference: float
) -> PublishResult:
    name = body["metadata"]["name"]
    return PublishResult(
        name=name,
        namespace=cluster.namespace,
        url=f"http://{name}-predictor.{cluster.namespace}.svc",
        version=smoke_test.version,
        revision=revision_of(body),
        changed=changed,
        compared=len(smoke_test.photos),
        max_difference=difference,
        seconds=time.monotonic() - start,
    )
