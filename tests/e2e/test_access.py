"""Permissions of a publisher, Pod Security, and which pods may connect to which."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.deploy.kubernetes.inference_service import Release, inference_service
from phytoflow.deploy.settings import DeploySettings
from tests.e2e.cluster import NAMESPACE, get, kubectl, wait_until
from tests.e2e.names import own_name

OTHER = own_name("elsewhere")


@pytest.fixture(scope="module")
def runner(platform: str) -> Iterator[list[str]]:
    """Start of a kubectl command with the runner's own token and no other credentials."""
    token = kubectl("create", "token", "pipeline-runner", "--duration=10m").strip()
    view = json.loads(kubectl("config", "view", "--raw", "--minify", "-o", "json"))
    view["users"] = [{"name": view["contexts"][0]["context"]["user"], "user": {"token": token}}]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kubeconfig"
        file.write_text(json.dumps(view))
        yield ["kubectl", "--kubeconfig", str(file)]


def _run(runner: list[str], *words: str, stdin: str | None = None) -> tuple[int, str]:
    done = subprocess.run([*runner, *words], capture_output=True, text=True, input=stdin, check=False)
    return done.returncode, done.stdout + done.stderr


def test_the_runner_publishes(runner: list[str], platform: str) -> None:
    body = inference_service("rbac", platform, Release("s3://phytoflow/none", "1"), DeploySettings())
    words = ("-n", platform, "apply", "--server-side", "--dry-run=server", "-f", "-")
    status, output = _run(runner, *words, stdin=json.dumps(body))
    assert status == 0, output
    for words in (("get", "inferenceservices"), ("get", "pods"), ("get", "events")):
        status, output = _run(runner, "-n", platform, *words)
        assert status == 0, output


FORBIDDEN = (
    ("get", "secrets"),
    ("get", "secret", "phytoflow-s3"),
    ("delete", "pod", "-l", "app.kubernetes.io/name=mlflow"),
    ("create", "configmap", "mine"),
    ("scale", "deployment/mlflow", "--replicas=0"),
    ("exec", "deployment/mlflow", "--", "true"),
    ("delete", "servingruntime", "phytoflow-predictor"),
    ("delete", "namespace", NAMESPACE),
)


@pytest.mark.parametrize("words", FORBIDDEN, ids=" ".join)
def test_the_runner_does_nothing_else(runner: list[str], platform: str, words: tuple[str, ...]) -> None:
    status, output = _run(runner, "-n", platform, *words)
    assert status != 0 and "forbidden" in output.lower(), output


@pytest.mark.parametrize("kind", ["inferenceservices", "secrets", "pods", "leases"])
def test_the_runner_sees_no_other_namespace(runner: list[str], kind: str) -> None:
    for where in (("-n", "kserve"), ("-n", "default"), ("-A",)):
        status, output = _run(runner, "get", kind, *where)
        assert status != 0 and "forbidden" in output, output


def test_a_pod_that_runs_as_root_is_warned_of_and_a_privileged_one_refused(platform: str) -> None:
    def dry_run(*words: str) -> subprocess.CompletedProcess[str]:
        command = ["kubectl", "-n", platform, "run", "rooted", "--image=none:1", "--dry-run=server", *words]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert 'violate PodSecurity "restricted' in dry_run().stderr
    refused = dry_run("--privileged")
    assert refused.returncode != 0 and "violates PodSecurity" in refused.stderr


@pytest.fixture
def elsewhere(platform: str) -> Iterator[str]:
    """A namespace that no NetworkPolicy allows."""
    subprocess.run(["kubectl", "create", "namespace", OTHER], check=True, capture_output=True)
    yield OTHER
    subprocess.run(["kubectl", "delete", "namespace", OTHER, "--wait=false"], check=True, capture_output=True)


def _reaches(namespace: str, service: str, port: int) -> bool:
    """Whether a pod there can open a connection. Any image with Python will do."""
    image = get("servingruntime", "phytoflow-predictor")["spec"]["containers"][0]["image"]
    code = f"import socket; socket.create_connection(({service!r}, {port}), 5); print('reached')"
    container = {"name": "main", "image": image, "command": ["python", "-c", code]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "reaches"}}
    pod["spec"] = {"restartPolicy": "Never", "containers": [container]}
    base = ["kubectl", "-n", namespace]
    apply = [*base, "apply", "-f", "-"]
    subprocess.run(apply, input=json.dumps(pod), text=True, check=True, capture_output=True)

    def phase() -> str:
        words = [*base, "get", "pod", "reaches", "-o", "jsonpath={.status.phase}"]
        return subprocess.run(words, text=True, check=True, capture_output=True).stdout

    wait_until(lambda: phase() in ("Succeeded", "Failed"), 90, "an answer from the pod")
    return phase() == "Succeeded"


def test_another_namespace_does_not_reach_postgresql(elsewhere: str) -> None:
    """Skipped, with the reason, if the cluster's network does not enforce policies."""
    if _reaches(elsewhere, f"postgresql.{NAMESPACE}", 5432):
        pytest.skip("this cluster's network does not enforce NetworkPolicy: PostgreSQL is open to every pod")
