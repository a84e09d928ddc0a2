"""Runs on a real Kubeflow Pipelines backend, from photographs to an InferenceService that is Ready.

``PHYTOFLOW_TEST_KFP`` names the backend, ``PHYTOFLOW_TEST_PIPELINE_IMAGE`` the steps' image; the dev overlays
``kustomize/overlays/dev`` and ``dev-runs`` are applied. Each run takes minutes.
"""

import base64
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import kfp
import pytest
import yaml

from phytoflow.errors import GateError
from phytoflow.storage.uri import read_bytes
from phytoflow.system.ports import free_port
from pipelines.compile_options import CompileOptions
from pipelines.package import write_package
from pipelines.submit import connect, submit, wait
from tests.e2e.names import own_name

ROOT = Path(__file__).resolve().parents[2]
NAMESPACE, STEPS = "phytoflow-dev", "kubeflow"
RUNS = f"s3://phytoflow/test-{int(time.time())}"
SETTINGS: dict[str, dict[str, object]] = {
    "training": {"cached_views": 1, "min_finetune_steps": 8, "finetune_epochs": 2, "cross_validate_below": 0},
    "deploy": {"namespace": NAMESPACE, "autoscaling": "none", "max_replicas": 1},
}
MINUTES = 20 * 60
CREATED, REFUSED, KILLED = own_name("created"), own_name("refused"), own_name("killed")
FROM_NOTEBOOK = own_name("notebook")
TRAIN_POD = "pipeline/runid={},app.kubernetes.io/component=train"
pytestmark = pytest.mark.timeout(2 * MINUTES + 600)


@pytest.fixture(scope="module")
def host() -> str:
    address = os.environ.get("PHYTOFLOW_TEST_KFP")
    if not address:
        pytest.skip("no Kubeflow Pipelines: PHYTOFLOW_TEST_KFP names no backend")
    return address


@pytest.fixture(scope="module")
def package(host: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    image = os.environ.get("PHYTOFLOW_TEST_PIPELINE_IMAGE", "localhost/phytoflow/pipeline:test")
    options = CompileOptions(image=image, image_pull_policy="Never", accelerators=1)
    return write_package(tmp_path_factory.mktemp("kfp") / "pipeline.yaml", options)


def parameters(name: str, **gate: float) -> dict[str, str]:
    chosen = SETTINGS | {"serving": {"name": name, "target": "cluster"}, "gate": gate}
    return {"data": "sample", "output": f"{RUNS}/{name}", "overrides": yaml.safe_dump(chosen)}


def kubectl(*words: str) -> str:
    return subprocess.run(["kubectl", *words], check=True, capture_output=True, text=True).stdout


def is_ready(name: str) -> bool:
    found = json.loads(kubectl("-n", NAMESPACE, "get", "inferenceservice", name, "-o", "json"))
    return any(c["type"] == "Ready" and c["status"] == "True" for c in found["status"]["conditions"])


def outcome(name: str) -> dict[str, str]:
    return dict(json.loads(read_bytes(f"{RUNS}/{name}/outcome.json")))


@pytest.fixture(scope="module", autouse=True)
def stores(host: str) -> Iterator[None]:
    """The dev overlay's MinIO, forwarded to this machine."""
    port = free_port()
    forward = subprocess.Popen(
        ["kubectl", "-n", NAMESPACE, "port-forward", "service/minio", f"{port}:9000"],
        stdout=subprocess.DEVNULL,
    )
    secret = json.loads(kubectl("-n", NAMESPACE, "get", "secret", "phytoflow-s3", "-o", "json"))["data"]
    keys = {key: base64.b64decode(value).decode() for key, value in secret.items() if key.startswith("AWS_")}
    with pytest.MonkeyPatch.context() as patch:
        for key, value in (keys | {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{port}"}).items():
            patch.setenv(key, value)
        yield
    forward.terminate()
    forward.wait()


@pytest.fixture
def services() -> Iterator[list[str]]:
    names: list[str] = []
    yield names
    for name in names:
        kubectl("-n", NAMESPACE, "delete", "inferenceservice", name, "--ignore-not-found", "--wait=false")


def skipped(client: kfp.Client, run_id: str) -> int:
    """Steps whose program did not run: taken from the cache, or on the branch not taken."""
    details = client.get_run(run_id).run_details.task_details
    names = [task.display_name or "" for task in details if task.state == "SKIPPED"]
    return sum(name.startswith("executor") for name in names)


def run_cli(host: str, verb: str, package: Path, name: str) -> str:
    words = [f"{key}={value}" for key, value in parameters(name).items()]
    program = str(Path(sys.executable).with_name("kfp"))
    command = [program, "--endpoint", host, "--output", "json", "run", verb, "-e", "cli", "-r", name]
    command += ["-f", str(package), *words]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return str(json.loads(done.stdout[done.stdout.index("{") :])["run_id"])


def test_kfp_run_create_ends_in_a_ready_service_and_a_second_run_takes_the_cached_steps(
    host: str, package: Path, services: list[str]
) -> None:
    services.append(CREATED)
    backend = connect(host)
    first = run_cli(host, "create", package, CREATED)
    wait(backend, first, MINUTES)
    assert is_ready(CREATED)
    assert outcome(CREATED)["bundle"] == f"{RUNS}/{CREATED}/bundle"
    again = run_cli(host, "submit", package, CREATED)
    wait(backend, again, MINUTES)
    cached = 4  # preprocess, train, export and evaluate
    assert skipped(backend.client, again) == skipped(backend.client, first) + cached


def test_a_failed_gate_publishes_nothing_and_says_why(host: str, package: Path) -> None:
    backend = connect(host)
    made = submit(backend, package, parameters(REFUSED, max_latency_ms=0.001))
    with pytest.raises(GateError, match="the gate refused"):
        wait(backend, made.id, MINUTES)
    assert REFUSED not in kubectl("-n", NAMESPACE, "get", "inferenceservices", "-o", "name")
    result = outcome(REFUSED)
    assert result["state"] == "FAILED" and result["report"] and not result["bundle"]


def test_a_killed_training_step_is_tried_again_and_goes_on(
    host: str, package: Path, services: list[str]
) -> None:
    services.append(KILLED)
    backend = connect(host)
    chosen = parameters(KILLED) | {"seed": int(time.time())}  # a seed of its own: nothing of it is cached
    settings = yaml.safe_load(str(chosen["overrides"]))
    settings["training"] |= {
        "min_finetune_steps": 150,
        "finetune_epochs": 8,
    }  # long enough to be met in the middle
    made = submit(backend, package, chosen | {"overrides": yaml.safe_dump(settings)})
    with ThreadPoolExecutor(1) as killers:
        killed = killers.submit(kill_in_an_epoch, made.id)
        wait(backend, made.id, MINUTES)
        killed.result()
    label = TRAIN_POD.format(made.id)
    logs = kubectl("-n", STEPS, "logs", "-l", label, "-c", "main", "--tail=-1")
    assert "exit status 137" in logs and "resuming from its last whole epoch" in logs
    assert is_ready(KILLED)


def kill_in_an_epoch(run_id: str) -> None:
    """Kills the training program once it is in the second stage."""
    until = time.monotonic() + MINUTES / 2
    while time.monotonic() < until:
        pods = kubectl("-n", STEPS, "get", "pods", "-l", TRAIN_POD.format(run_id), "-o", "name").split()
        command = (
            "kubectl",
            "-n",
            STEPS,
            "logs",
            *pods[:1],
            "-c",
            "main",
        )  # fails until the container is there
        if pods and "epoch 1" in subprocess.run(command, capture_output=True, text=True, check=False).stdout:
            kubectl("-n", STEPS, "exec", pods[0], "-c", "main", "--", "sh", "-c", "kill -9 -1")
            return
        time.sleep(1)
    raise AssertionError("the training step was never seen in an epoch")


def notebook_settings() -> dict[str, dict[str, object]]:
    """Overrides of the notebook, whose own service is called ``leaf``."""
    return {"training": SETTINGS["training"], "serving": {"name": FROM_NOTEBOOK, "target": "cluster"}}


def test_the_notebook_submits_and_shows_a_run(
    host: str, package: Path, services: list[str], tmp_path: Path
) -> None:
    services.append(FROM_NOTEBOOK)
    cells = json.loads((ROOT / "notebooks" / "01_submit_a_run.ipynb").read_text())["cells"]
    code = "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    environment = os.environ | {
        "KFP_HOST": host,
        "PHYTOFLOW_IMAGE": os.environ.get(
            "PHYTOFLOW_TEST_PIPELINE_IMAGE", "localhost/phytoflow/pipeline:test"
        ),
        "PHYTOFLOW_OUTPUT": f"{RUNS}/{CREATED}",
        "PHYTOFLOW_NAMESPACE": NAMESPACE,
        "PHYTOFLOW_OVERRIDES": yaml.safe_dump(notebook_settings()),
        "PYTHONPATH": str(ROOT),
    }
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ended: SUCCEEDED" in done.stdout and "macro-F1" in done.stdout, done.stdout + done.stderr
    assert is_ready(FROM_NOTEBOOK)
