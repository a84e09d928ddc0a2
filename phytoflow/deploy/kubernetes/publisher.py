"""Publishes a bundle under a name, or goes back to the one before."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES, Cluster, Object
from phytoflow.deploy.kubernetes.inference_service import PART_OF, Release, inference_service, revision_of
from phytoflow.deploy.kubernetes.lease import sole_publisher
from phytoflow.deploy.kubernetes.revisions import Revision, history
from phytoflow.deploy.kubernetes.rollout import Rollout
from phytoflow.deploy.kubernetes.smoke_test import Exam
from phytoflow.deploy.settings import DeploySettings
from phytoflow.errors import ConfigError, DeployError

MAX_NAME = 40  # Kubernetes allows 63 for NAME-candidate-predictor
_MANAGED_BY = "app.kubernetes.io/managed-by"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Deployed:
    """An InferenceService that answers.

    Attributes:
        name: Of it and of the served model.
        namespace: Where it is.
        url: REST, from inside the cluster.
        version: Of the bundle.
        revision: Of the spec.
        changed: False if it was so already.
        compared: Photos asked.
        max_difference: Largest difference of a probability.
        seconds: What it all took.
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


def deploy(cluster: Cluster, name: str, release: Release, exam: Exam, settings: DeploySettings) -> Deployed:
    """Publishes a bundle under a name; the same again changes nothing.

    Args:
        cluster: Where.
        name: Of the InferenceService and the served model.
        release: The bundle.
        exam: Photos that it must answer right before any other request reaches it.
        settings: Sizes, placement, autoscaling.

    Raises:
        ConfigError: The name is too long.
        DeployError: Why it was not published; what was published before goes on serving.
    """
    if len(name) > MAX_NAME:
        raise ConfigError(f"the name {name} has more than {MAX_NAME} letters", remedy="choose a shorter one")
    body, start = inference_service(name, cluster.namespace, release, settings), time.monotonic()
    with sole_publisher(cluster, name, settings.ready_timeout_seconds) as held:
        live = _ours(cluster.get(INFERENCE_SERVICES, name), name)
        good = history(cluster, name) if live else []
        rollout = Rollout(cluster, held, settings, exam, good[-1] if good else None)
        rollout.clear_candidate(name)
        if good and revision_of(live) == good[-1].revision == revision_of(body):
            changed, difference = _again(rollout, body)
        else:
            rollout.rehearse(body)
            changed, difference = True, rollout.replace(body)
    return _deployed(cluster, body, exam, start, changed=changed, difference=difference)


def rollback(
    cluster: Cluster,
    name: str,
    exam_of: Callable[[Revision], Exam],
    settings: DeploySettings,
    to: int = 0,
) -> Deployed:
    """Goes back to a spec that served before.

    Args:
        cluster: Where.
        name: Of the InferenceService.
        exam_of: Makes the exam of the spec that is gone back to; may raise if its bundle is gone.
        settings: How long to wait.
        to: Number of the spec in the history; 0: the newest that is not the present one.

    Raises:
        DeployError: There is none, or it does not become ready any more; the present one goes on serving.
    """
    start = time.monotonic()
    with sole_publisher(cluster, name, settings.ready_timeout_seconds) as held:
        live = _ours(cluster.get(INFERENCE_SERVICES, name), name)
        good = history(cluster, name) if live else []
        target = _target(name, good, revision_of(live), to)
        exam = exam_of(target)
        _LOG.info("going back to version %s (number %d)", target.bundle_version, target.number)
        difference = Rollout(cluster, held, settings, exam, good[-1]).replace(target.body)
    return _deployed(cluster, target.body, exam, start, changed=True, difference=difference)


def _again(rollout: Rollout, body: Object) -> tuple[bool, float]:
    """The spec that serves already is applied once more: what others changed in it by hand is put right.

    Returns:
        Whether anything was changed, and the largest difference of a probability.
    """
    before = _generation(rollout.cluster, body)
    difference = rollout.arrive(body)
    if drifted := _generation(rollout.cluster, body) != before:
        _LOG.info("%s had been changed by hand; it is as published again", body["metadata"]["name"])
    else:
        _LOG.info("%s serves this already: nothing to do", body["metadata"]["name"])
    return drifted, difference


def _generation(cluster: Cluster, body: Object) -> object:
    found = cluster.get(INFERENCE_SERVICES, body["metadata"]["name"])
    return found["metadata"]["generation"] if found else None


def _target(name: str, good: list[Revision], live: str, to: int) -> Revision:
    others = [revision for revision in good if revision.revision != live and to in (0, revision.number)]
    if not others:
        numbers = ", ".join(str(revision.number) for revision in good) or "none"
        what = f"{name} has no good spec to go back to" if not to else f"{name} has no other good spec {to}"
        raise DeployError(f"{what}; kept are: {numbers}", reason="absent", remedy="see `phytoflow status`")
    return others[-1]


def _ours(live: Object | None, name: str) -> Object | None:
    if live and (live["metadata"].get("labels") or {}).get(_MANAGED_BY) != PART_OF[_MANAGED_BY]:
        what = f"there is an InferenceService {name} that phytoflow did not make"
        raise DeployError(what, reason="conflict", remedy="choose another name, or delete it first")
    return live


def _deployed(
    cluster: Cluster, body: Object, exam: Exam, start: float, *, changed: bool, difference: float
) -> Deployed:
    name = body["metadata"]["name"]
    return Deployed(
        name=name,
        namespace=cluster.namespace,
        url=f"http://{name}-predictor.{cluster.namespace}.svc",
        version=exam.version,
        revision=revision_of(body),
        changed=changed,
        compared=len(exam.photos),
        max_difference=difference,
        seconds=time.monotonic() - start,
    )
