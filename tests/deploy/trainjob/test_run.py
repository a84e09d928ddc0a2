"""A TrainJob is submitted, and deleted whatever happens."""

from __future__ import annotations

import pytest

from phytoflow.deploy.kubernetes.api import Cluster
from phytoflow.deploy.trainjob import run as module
from phytoflow.deploy.trainjob.render import Work
from phytoflow.deploy.trainjob.run import image_of, own_pod, owner_of, run_of, run_train_job
from phytoflow.deploy.trainjob.settings import TrainJobSettings
from phytoflow.errors import ConfigError, DeployError
from phytoflow.system.lifeline import TerminatedError
from tests.deploy.trainjob.conftest import NAME, TrainerServer

WORK = Work(NAME, "run-1", 1, 1, ("-m", "x"), "image:1")
STEP = {
    "metadata": {"name": "step", "uid": "1"},
    "spec": {"containers": [{"name": "wait", "image": "argo"}, {"name": "main", "image": "mine:2"}]},
}


def test_it_is_deleted_when_it_has_completed(
    trainer: TrainerServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def complete(follower: object) -> None:
        seen.append(trainer.server.objects[trainer.job]["spec"]["trainer"]["image"])

    monkeypatch.setattr(module.Follower, "wait", complete)
    run_train_job(cluster, WORK, TrainJobSettings())
    assert seen == ["image:1"] and trainer.job not in trainer.server.objects


def test_it_is_deleted_when_the_step_is_cancelled(
    trainer: TrainerServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel(follower: object) -> None:
        raise TerminatedError

    monkeypatch.setattr(module.Follower, "wait", cancel)
    with pytest.raises(TerminatedError):
        run_train_job(cluster, WORK, TrainJobSettings())
    assert trainer.job not in trainer.server.objects


def test_what_an_earlier_attempt_left_is_deleted_first(
    trainer: TrainerServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer.server.objects[trainer.job] = {"metadata": {"name": NAME}, "spec": {"old": True}}
    monkeypatch.setattr(module.Follower, "wait", lambda follower: None)
    run_train_job(cluster, WORK, TrainJobSettings())
    writes = [write.split("/")[0] for write in trainer.server.writes]
    assert writes == ["DELETE trainjobs", "PATCH trainjobs", "DELETE trainjobs"]


def test_a_cluster_without_kubeflow_trainer_is_said_to_be_one(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, body: object) -> None:
        raise DeployError("the cluster has no such kind", reason="kserve")

    monkeypatch.setattr(cluster, "apply", refuse)
    with pytest.raises(DeployError, match="has no TrainJobs") as refused:
        run_train_job(cluster, WORK, TrainJobSettings())
    assert refused.value.reason == "trainer" and "install Kubeflow Trainer" in refused.value.remedy


def test_owner_and_image_are_those_of_the_steps_pod(
    trainer: TrainerServer, cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KFP_POD_NAME", raising=False)
    assert own_pod(cluster) is None and owner_of(None) is None
    trainer.server.objects["/api/v1/namespaces/plants/pods/step"] = STEP
    monkeypatch.setenv("KFP_POD_NAME", "step")
    pod = own_pod(cluster)
    assert owner_of(pod) == {"apiVersion": "v1", "kind": "Pod", "name": "step", "uid": "1"}
    workflow = {"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "w", "uid": "2"}
    owned = STEP | {"metadata": {"name": "step", "ownerReferences": [workflow | {"controller": True}]}}
    assert owner_of(owned) == workflow
    labelled = STEP | {"metadata": {"name": "step", "labels": {"pipeline/runid": "r1"}}}
    assert (run_of(labelled), run_of(pod), run_of(None)) == ("r1", "", "")
    assert image_of(pod, TrainJobSettings()) == "mine:2"
    assert image_of(None, TrainJobSettings(image="other:3")) == "other:3"
    with pytest.raises(ConfigError, match="no image"):
        image_of(None, TrainJobSettings())
