"""A cluster that keeps objects as Kubernetes does, with pods and conditions that tests set."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from phytoflow.deploy.kubernetes.api import Cluster
from phytoflow.deploy.trainjob.diagnosis import FIRST_POD, TRAIN_JOBS
from tests.support.services.api_server import ApiServer

NAME = "phytoflow-train-1"


class TrainerServer:
    """An API server, and what the controllers behind it would do when a test says so."""

    def __init__(self, server: ApiServer) -> None:
        self.server = server
        self.job = TRAIN_JOBS.format(namespace="plants") + f"/{NAME}"

    def set_pod(self, number: int, phase: str, **status: Any) -> None:
        """Makes a pod, or changes it."""
        name = f"{NAME}-node-0-{number}"
        labels = {"jobset.sigs.k8s.io/jobset-name": NAME, FIRST_POD: str(number)}
        self.server.objects[f"/api/v1/namespaces/plants/pods/{name}"] = {
            "metadata": {"name": name, "labels": labels},
            "spec": {"containers": [{"name": "node"}]},
            "status": {"phase": phase, **status},
        }

    def set_condition(self, kind: str, message: str = "") -> None:
        """Gives the TrainJob a condition."""
        condition = {"type": kind, "status": "True", "message": message}
        self.server.objects[self.job]["status"] = {"conditions": [condition]}


@pytest.fixture
def trainer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TrainerServer]:
    """The server, to which KUBECONFIG leads."""
    server = ApiServer(lambda version, photo: [])
    monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
    yield TrainerServer(server)
    server.close()


@pytest.fixture
def cluster(trainer: TrainerServer) -> Cluster:
    """A connection to it."""
    return Cluster.connect()
