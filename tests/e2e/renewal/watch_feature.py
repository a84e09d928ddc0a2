"""The features `watch` and `watch-rollouts` on a cluster, for the length of a block."""

from __future__ import annotations

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import yaml

from phytoflow.storage.uri import put_folder
from tests.e2e.cluster import NAMESPACE, Object, get, kubectl
from tests.e2e.conftest import ROOT
from tests.support.make_bundle import pictures

FEATURES = ROOT / "kustomize" / "features"
SECRET = uuid.uuid4().hex
_SETTINGS = ("phytoflow", "watch", "/etc/watch/watch.yaml")
_TABLES = "watch_events, watch_lease"
_DROP = f'psql --host /var/run/postgresql -U "$POSTGRES_USER" -d gateway -qc "drop table {_TABLES}"'


@contextmanager
def watching(
    folder: Path, features: Sequence[str], scopes: str, variables: Mapping[str, str]
) -> Iterator[None]:
    """Applies features as their page describes, with variables of the pod; nothing is left afterwards."""
    package = str(folder / "pipeline.yaml")
    compile_ = ("pipeline", "compile", "--image", "localhost/phytoflow/pipeline:test", "--output", package)
    subprocess.run([sys.executable, "-m", "phytoflow.cli", *compile_], check=True)
    kubectl("create", "configmap", "phytoflow-pipeline", f"--from-file={package}")
    create = ("python", "-m", "serving.gateway", "keys", "create", "watch", "--scopes", scopes)
    key = kubectl(
        "exec", "deployment/gateway", "--", *create, "--config", "/etc/gateway/gateway.yaml"
    ).strip()
    values = (f"--from-literal=gateway-token={key}", f"--from-literal=webhook-secret={SECRET}")
    kubectl("create", "secret", "generic", "phytoflow-watch", *values)
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(_overlay(folder, features, variables)))
    kubectl("apply", "-k", str(folder))
    kubectl("rollout", "status", "deployment/watch", "--timeout=180s")
    yield
    kubectl("delete", "-k", str(folder))
    kubectl("delete", "configmap/phytoflow-pipeline", "secret/phytoflow-watch")
    kubectl("exec", "deployment/postgresql", "--", "sh", "-c", _DROP)


def _overlay(folder: Path, features: Sequence[str], variables: Mapping[str, str]) -> Object:
    environment = [{"name": name, "value": value} for name, value in variables.items()]
    pod = {"spec": {"containers": [{"name": "watch", "env": environment}]}}
    deployment: Object = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "watch"}}
    subject = [{"op": "replace", "path": "/subjects/0/namespace", "value": NAMESPACE}]
    return {
        "namespace": NAMESPACE,
        "components": [os.path.relpath(FEATURES / name, folder.resolve()) for name in features],
        "images": [{"name": "phytoflow/watch", "newName": "localhost/phytoflow/watch", "newTag": "test"}],
        "patches": [
            {"patch": yaml.safe_dump(deployment | {"spec": {"template": pod}})},
            {"target": {"kind": "RoleBinding"}, "patch": yaml.safe_dump(subject)},
        ],
    }


def new_pods() -> list[Object]:
    """The pods of `watch` that do not end."""
    items = get("pods", "-l", "app.kubernetes.io/name=watch")["items"]
    return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]


def in_pod(options: str) -> str:
    """Output of the command in the pod, with its settings and some options."""
    return kubectl("exec", "deployment/watch", "--", "sh", "-c", f"{' '.join(_SETTINGS)} {options} 2>&1")


def audit_log() -> list[list[str]]:
    """Words of each event, oldest first: number, day, time, action, state, trigger, key, reason."""
    lines = kubectl("exec", "deployment/watch", "--", *_SETTINGS, "--log").splitlines()
    return [line.split() for line in lines]


def new_prefix() -> str:
    """A new prefix in the cluster's store."""
    return f"s3://phytoflow/test-{uuid.uuid4().hex[:8]}"


def add_photo(uri: str, folder: Path, number: int) -> None:
    """Adds a photo to the class folders in the store."""
    (folder / "rust").mkdir(exist_ok=True, parents=True)
    (folder / "rust" / f"{number}.jpg").write_bytes(pictures(number + 1)[number].content)
    put_folder(folder, uri)
