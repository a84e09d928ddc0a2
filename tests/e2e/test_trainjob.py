"""Training as a TrainJob on a real cluster with Kubeflow Trainer; skipped where it is not installed.

The pods run this checkout, mounted from the node's disk: the cluster's node must be this machine. The
namespace's pod security therefore is privileged; the manifests' own pods are restricted (tests/manifests).
``PHYTOFLOW_TEST_PHOTOS`` names class folders of photos; by default small ones are drawn.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from safetensors.torch import load_file

from phytoflow.deploy.kubernetes.api import PODS, Cluster
from phytoflow.deploy.trainjob.diagnosis import TRAIN_JOBS
from phytoflow.errors import DeployError
from phytoflow.models.checkpoint import read_summary
from tests.e2e.names import own_name
from tests.e2e.search.checkout import IMAGE, ROOT, mount_checkout
from tests.support.small_training import write_photos

STORE = os.environ.get("PHYTOFLOW_TEST_S3_IN_CLUSTER", "minio.minio:9000")
SETTINGS = {
    "model.image_size": 64,
    "data.near_duplicate_max_distance": 0,
    "training.cached_views": 1,
    "training.finetune_epochs": 20,  # so many that the kill comes between two of them
    "training.min_finetune_steps": 4,
    "training.cross_validate_below": 0,
    "training.device": "cpu",
    "trainjob.image": IMAGE,
    "trainjob.cpu_request": "100m",
    "trainjob.memory_request": "256Mi",
    "trainjob.memory": "3Gi",
}
INDEX = "batch.kubernetes.io/job-completion-index"
pytestmark = pytest.mark.timeout(900)


@dataclass
class Run:
    """A `phytoflow train` that goes on in the background.

    Attributes:
        process: Its process.
        log: What it prints.
        folder: Where the model comes to.
    """

    process: subprocess.Popen[bytes]
    log: Path
    folder: Path

    def wait_for(self, text: str, seconds: float) -> None:
        """Waits until it has printed something."""
        deadline = time.monotonic() + seconds
        while text not in self.log.read_text():
            assert time.monotonic() < deadline and self.process.poll() is None, self.log.read_text()
            time.sleep(0.5)

    def end(self, seconds: float = 400) -> int:
        """Its exit code."""
        return self.process.wait(seconds)


@pytest.fixture(scope="module")
def namespace() -> Iterator[str]:
    """A namespace with the project's TrainingRuntime, changed so that its pods run this checkout."""
    if not os.environ.get("KUBECONFIG"):
        pytest.skip("no cluster: KUBECONFIG is not set")
    try:
        Cluster.connect("default").list(TRAIN_JOBS)
    except DeployError as error:
        pytest.skip(f"no Kubeflow Trainer: {error.message}")
    name = own_name("trainjob")
    kubectl("create", "namespace", name)
    kubectl("label", "namespace", name, "pod-security.kubernetes.io/enforce=privileged", "--overwrite")
    kubectl("-n", name, "apply", "-f", "-", given=yaml.safe_dump_all([_secret(), _runtime()]))
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


def kubectl(*words: str, given: str | None = None) -> str:
    done = subprocess.run(["kubectl", *words], input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def _secret() -> dict[str, Any]:
    values = {"AWS_ACCESS_KEY_ID": os.environ.get("AWS_ACCESS_KEY_ID", "minio")}
    values["AWS_SECRET_ACCESS_KEY"] = os.environ.get("AWS_SECRET_ACCESS_KEY", "minio123")
    values["AWS_ENDPOINT_URL_S3"] = f"http://{STORE}"
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "phytoflow-s3"}, "stringData": values}


def _runtime() -> dict[str, Any]:
    runtime: dict[str, Any] = yaml.safe_load((ROOT / "manifests/training/runtime.yaml").read_text())
    job = runtime["spec"]["template"]["spec"]["replicatedJobs"][0]
    pod = job["template"]["spec"]["template"]["spec"]
    del pod["priorityClassName"], pod["securityContext"]
    mount_checkout(pod)
    return runtime


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if given := os.environ.get("PHYTOFLOW_TEST_PHOTOS"):
        return Path(given)
    folder = tmp_path_factory.mktemp("photos") / "photos"
    write_photos(folder, 30)
    return folder


@pytest.fixture(scope="module")
def alone(photos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model of one process, and the dataset that all runs are given."""
    folder = tmp_path_factory.mktemp("alone")
    run = start(photos, str(folder), folder, "")
    assert run.end() == 0, run.log.read_text()
    return folder


def start(data: Path, output: str, folder: Path, namespace: str, **changes: Any) -> Run:
    """Starts the train step, on a cluster if a namespace is given."""
    chosen = SETTINGS | {name.replace("__", "."): value for name, value in changes.items()}
    if namespace:
        # Each machine has a file of its own there: the test has no MLflow server.
        chosen |= {"trainjob.namespace": namespace, "tracking.uri": f"sqlite:////tmp/{namespace}.db"}
    folder.mkdir(parents=True, exist_ok=True)
    call = (
        "import sys, json; from pathlib import Path\n"
        "from phytoflow.config.loader import load_settings\n"
        "from phytoflow.steps.context import step\n"
        "from phytoflow.steps.settings import PreprocessStepSettings, TrainStepSettings\n"
        "from phytoflow.steps.preprocess import preprocess\n"
        "from phytoflow.steps.train import train\n"
        "data, output, folder, assignments = sys.argv[1:]\n"
        "settings = load_settings(None, json.loads(assignments))\n"
        "dataset = Path(data) if (Path(data) / 'dataset.json').exists() else Path(folder) / 'dataset'\n"
        "with step('train'):\n"
        "    if not dataset.exists(): preprocess(data, PreprocessStepSettings.of(settings), dataset)\n"
        "    train(dataset, TrainStepSettings.of(settings), Path(folder) / 'model', output)\n"
    )
    assignments = [f"{key}={value}" for key, value in chosen.items()]
    arguments = [str(data), output, str(folder), json.dumps(assignments)]
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-c", call, *arguments], stdout=file, stderr=subprocess.STDOUT, cwd=ROOT
        )
    return Run(process, log, folder)


def assert_same_model(folder: Path, expected: Path) -> None:
    """Compares the figures, and each tensor's distance to a hundredth of its length.

    Two processes add gradients in another order. Over twenty epochs Adam amplifies what that rounds
    differently in single weights with gradients near zero; tests/training/distributed compares every weight
    after one epoch. A bias vector near zero has differed by 0.7%.
    """
    figures = [read_summary(where / "model")["validation"] for where in (folder, expected)]
    assert figures[0] == pytest.approx(figures[1], rel=1e-2)
    weights, others = (load_file(where / "model" / "model.safetensors") for where in (folder, expected))
    for name, value in others.items():
        difference = (weights[name].double() - value.double()).norm()
        assert difference <= 1e-2 * value.double().norm(), name


def assert_nothing_is_left(namespace: str) -> None:
    cluster = Cluster.connect(namespace)
    assert cluster.list(TRAIN_JOBS) == []
    deadline = time.monotonic() + 60
    while cluster.list(PODS):
        assert time.monotonic() < deadline
        time.sleep(1)


def test_two_pods_train_the_model_of_one_process_although_one_is_killed(
    namespace: str, alone: Path, bucket: str, tmp_path: Path
) -> None:
    run = start(alone / "dataset", f"s3://{bucket}/run", tmp_path, namespace, training__nodes=2)
    run.wait_for("epoch 1, ", 240)
    pods = Cluster.connect(namespace).list(PODS)
    second = next(pod for pod in pods if pod["metadata"]["labels"].get(INDEX) == "1")
    kubectl("-n", namespace, "delete", "pod", second["metadata"]["name"], "--grace-period=0", "--force")
    assert run.end() == 0, run.log.read_text()
    assert "resuming after epoch" in run.log.read_text()
    assert_same_model(tmp_path, alone)
    assert_nothing_is_left(namespace)


def test_what_keeps_pods_from_starting_is_said_and_a_cancelled_step_leaves_nothing(
    namespace: str, alone: Path, bucket: str, tmp_path: Path
) -> None:
    run = start(
        alone / "dataset",
        f"s3://{bucket}/waiting",
        tmp_path,
        namespace,
        training__nodes=2,
        trainjob__accelerator_type="nvidia.com/gpu",
        trainjob__node_selector="{zone: nowhere}",
    )
    run.wait_for("submitted TrainJob", 120)
    run.wait_for("no node can give the next one its nvidia.com/gpu", 60)
    run.process.send_signal(signal.SIGTERM)
    assert run.end(60) == 143
    assert_nothing_is_left(namespace)
