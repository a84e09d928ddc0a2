"""Runs a TrainJob: submitted, followed, and deleted whatever happens."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from phytoflow.deploy.kubernetes.api import PODS, Cluster, Object
from phytoflow.deploy.trainjob.diagnosis import TRAIN_JOBS
from phytoflow.deploy.trainjob.follow import Follower
from phytoflow.deploy.trainjob.render import Work, render
from phytoflow.deploy.trainjob.settings import TrainJobSettings
from phytoflow.errors import ConfigError, DeployError
from phytoflow.system.kfp_pod import kfp_pod

_LOG = logging.getLogger(__name__)
_RUN_LABEL = "pipeline/runid"  # Kubeflow Pipelines labels the pods of a run with its id
_SECONDS_TO_GO = 60.0  # for an old TrainJob and its pods


def run_train_job(
    cluster: Cluster, work: Work, settings: TrainJobSettings, write: Callable[[str], object] = print
) -> None:
    """Submits a TrainJob and follows it to its end; deletes it then, and when this process is to end.

    Args:
        cluster: Where it runs.
        work: What is to be done.
        settings: Resources and placement.
        write: Takes each line of its log.

    Raises:
        DeployError: The cluster refuses it, it does not start, or it fails; says why.
    """
    body = render(work, cluster.namespace, settings)
    _replace_old(cluster, work.name)
    try:
        _apply(cluster, body)
        _LOG.info("submitted TrainJob %s/%s: %d pods", cluster.namespace, work.name, work.nodes)
        Follower(cluster, work.name, work.nodes, settings.start_timeout_minutes * 60, write).wait()
    finally:  # also when the step is cancelled: SIGTERM raises here
        cluster.delete(TRAIN_JOBS, work.name)


def own_pod(cluster: Cluster) -> Object | None:
    """The pod of the pipeline step that this process is; None outside of a pipeline on a cluster."""
    name = kfp_pod()
    return cluster.get(PODS, name) if name else None


def owner_of(pod: Object | None) -> Object | None:
    """Owner reference for what a step creates: the run that its pod belongs to, else the pod."""
    if pod is None:
        return None
    owners = pod["metadata"].get("ownerReferences", [])
    if owners:
        return {key: owners[0][key] for key in ("apiVersion", "kind", "name", "uid")}
    return {"apiVersion": "v1", "kind": "Pod", "name": pod["metadata"]["name"], "uid": pod["metadata"]["uid"]}


def run_of(pod: Object | None) -> str:
    """Id of the pipeline's run that a step's pod belongs to; empty if there is none."""
    return str(pod["metadata"].get("labels", {}).get(_RUN_LABEL, "")) if pod else ""


def image_of(pod: Object | None, settings: TrainJobSettings) -> str:
    """Image of the TrainJob's pods.

    Raises:
        ConfigError: None is set, and this process is no pipeline step whose image could be taken.
    """
    if settings.image:
        return settings.image
    containers = {c["name"]: c["image"] for c in pod["spec"]["containers"]} if pod else {}
    if "main" not in containers:
        raise ConfigError("no image for the TrainJob", remedy="set trainjob.image to the pipeline's image")
    return str(containers["main"])


def _apply(cluster: Cluster, body: Object) -> None:
    try:
        cluster.apply(TRAIN_JOBS, body)
    except DeployError as error:
        if error.reason == "kserve":  # the API's word for a missing kind
            raise DeployError(
                "the cluster has no TrainJobs",
                reason="trainer",
                remedy="install Kubeflow Trainer (docs/how-to/distributed.md), or set training.nodes=1",
            ) from error
        raise


def _replace_old(cluster: Cluster, name: str) -> None:
    """Deletes what an earlier attempt of the step left, and waits until it is gone."""
    deadline = time.monotonic() + _SECONDS_TO_GO
    cluster.delete(TRAIN_JOBS, name)
    while cluster.get(TRAIN_JOBS, name) or cluster.list(
        PODS, labelSelector=f"jobset.sigs.k8s.io/jobset-name={name}"
    ):
        if time.monotonic() > deadline:
            raise DeployError(
                f"an earlier TrainJob {name} does not go away", reason="trainjob", remedy="delete it by hand"
            )
        time.sleep(1)
