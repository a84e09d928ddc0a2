"""Publishes a bundle: rehearsed on a candidate, then rolled out, put back if anything goes wrong."""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass

from phytoflow.config import DeploySettings
from phytoflow.deploy.cluster import INFERENCE_SERVICES, Cluster, Object
from phytoflow.deploy.history import Revision, history, remember
from phytoflow.deploy.lease import Held, sole_publisher
from phytoflow.deploy.ready import await_ready
from phytoflow.deploy.smoke import Exam, examine
from phytoflow.deploy.spec import (
    PART_OF,
    Release,
    accelerators_of,
    candidate_name,
    candidate_of,
    inference_service,
    revision_of,
)
from phytoflow.errors import ConfigError, DeployError

MAX_NAME = 40
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
        seconds: The whole publish took.
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


@dataclass(frozen=True)
class _Publish:
    """One publish under way: what every part of it needs."""

    cluster: Cluster
    held: Held
    settings: DeploySettings
    exam: Exam

    def arrive(self, body: Object) -> float:
        """Applies, awaits and asks; returns the largest difference."""
        self.held.check()
        self.cluster.apply(INFERENCE_SERVICES, body)
        name, revision = body["metadata"]["name"], revision_of(body)
        seen = await_ready(
            self.cluster,
            name,
            revision,
            seconds=self.settings.ready_seconds,
            start_seconds=self.settings.start_seconds,
            check=self.held.check,
        )
        pods = [pod["metadata"]["name"] for pod in seen.pods_of(revision)]
        return max(examine(self.cluster, pod, name, self.exam) for pod in pods)


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
    body = inference_service(name, cluster.namespace, release, settings)
    start = time.monotonic()
    with sole_publisher(cluster, name, settings.ready_seconds) as held:
        publish = _Publish(cluster, held, settings, exam)
        live = _ours(cluster.get(INFERENCE_SERVICES, name), name)
        good = history(cluster, name)
        cluster.delete(INFERENCE_SERVICES, candidate_name(name))  # of a publisher that was killed
        changed, difference = True, 0.0
        if good and revision_of(live) == good[-1].revision == revision_of(body):
            changed, difference = _again(publish, body)
        else:
            _rehearse(publish, body, good[-1] if live and good else None)
            difference = _roll_out(publish, body, good[-1] if live and good else None)
    return Deployed(
        name=name,
        namespace=cluster.namespace,
        url=f"http://{name}-predictor.{cluster.namespace}.svc",
        version=release.version,
        revision=revision_of(body),
        changed=changed,
        compared=len(exam.photos),
        max_difference=difference,
        seconds=time.monotonic() - start,
    )


def _again(publish: _Publish, body: Object) -> tuple[bool, float]:
    """The spec that serves already is applied once more: what others changed in it by hand is put right."""
    name = body["metadata"]["name"]
    before = publish.cluster.get(INFERENCE_SERVICES, name) or {"metadata": {}}
    difference = publish.arrive(body)
    after = publish.cluster.get(INFERENCE_SERVICES, name) or {"metadata": {}}
    drifted = before["metadata"].get("generation") != after["metadata"].get("generation")
    if drifted:
        _LOG.info("%s had been changed by hand; it is as published again", name)
    else:
        _LOG.info("%s serves this bundle with these settings already: nothing to do", name)
    return drifted, difference


def _rehearse(publish: _Publish, body: Object, former: Revision | None) -> None:
    """Tries the new version on a candidate that gets no traffic."""
    tried = candidate_of(body, accelerated=_finds_gpu(body, former, publish.settings))
    _LOG.info("trying the new version as %s, which gets no traffic", tried["metadata"]["name"])
    try:
        difference = publish.arrive(tried)
        _LOG.info("the candidate answers as recorded (off by at most %.1e)", difference)
    except DeployError as error:
        raise _with(error, f"nothing was changed: {_still(former)}") from error
    finally:
        publish.cluster.delete(INFERENCE_SERVICES, tried["metadata"]["name"])


def _roll_out(publish: _Publish, body: Object, former: Revision | None) -> float:
    """Replaces what serves; on any failure, also an interrupt, the last good spec comes back."""
    name = body["metadata"]["name"]
    _LOG.info("rolling out %s", name)
    try:
        difference = publish.arrive(body)
    except DeployError as error:
        raise _with(error, put_back(publish.cluster, name, former)) from error
    except BaseException:
        put_back(publish.cluster, name, former)
        raise
    service = publish.cluster.get(INFERENCE_SERVICES, name)
    if service is None:
        raise DeployError(f"somebody deleted {name} while it was published", reason="absent")
    remember(publish.cluster, service, body)
    return difference


def put_back(cluster: Cluster, name: str, former: Revision | None) -> str:
    """Applies the last good spec again; a service that never was good is removed.

    Returns:
        What was done, as a sentence.
    """
    try:
        if former is None:
            cluster.delete(INFERENCE_SERVICES, name)
            return f"{name} was removed: no version of it has ever served"
        cluster.apply(INFERENCE_SERVICES, former.body)
        return f"the last good spec was put back: {_still(former)}"
    except DeployError as error:
        _LOG.error("the last good spec of %s could not be put back: %s", name, error)
        return f"the last good spec could NOT be put back ({error.message}): run `phytoflow rollback {name}`"


def _finds_gpu(body: Object, former: Revision | None, settings: DeploySettings) -> bool:
    """Whether a GPU is to be had beside those in use.

    Where none is spare, the new version takes the place of a pod with the same GPU: that one will do, so the
    candidate is tried without. A placement that nothing has proved yet is tried as it is.
    """
    if settings.spare_accelerator or not settings.accelerators or former is None:
        return True
    return accelerators_of(body) != accelerators_of(former.body)


def _ours(live: Object | None, name: str) -> Object | None:
    if live and (live["metadata"].get("labels") or {}).get(_MANAGED_BY) != PART_OF[_MANAGED_BY]:
        what = f"there is an InferenceService {name} that phytoflow did not make"
        raise DeployError(what, reason="conflict", remedy="choose another name, or delete it first")
    return live


def _with(error: DeployError, sentence: str) -> DeployError:
    return DeployError(f"{error.message}\n{sentence}", reason=error.reason, remedy=error.remedy)


def _still(former: Revision | None) -> str:
    return f"version {former.bundle_version} goes on serving" if former else "nothing was published before"
