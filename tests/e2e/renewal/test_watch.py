"""`phytoflow watch` as a Deployment: webhooks, new photos that start a training, and a pod that is lost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
import yaml

from phytoflow.storage.uri import put_folder
from tests.e2e.cluster import Object, forwarded, get, kubectl, prometheus, ready, wait_until
from tests.e2e.conftest import ROOT
from tests.support.make_bundle import pictures

SECRET = uuid.uuid4().hex
SETTINGS = ("phytoflow", "watch", "/etc/watch/watch.yaml")
pytestmark = pytest.mark.timeout(600)


def new_pods() -> list[Object]:
    """The pods that do not end."""
    items = get("pods", "-l", "app.kubernetes.io/name=watch")["items"]
    return [pod for pod in items if "deletionTimestamp" not in pod["metadata"]]


def audit_log() -> list[list[str]]:
    """Words of each event, oldest first: number, day, time, action, state, trigger, key."""
    return [
        line.split() for line in kubectl("exec", "deployment/watch", "--", *SETTINGS, "--log").splitlines()
    ]


def add_photo(uri: str, folder: Path, number: int) -> None:
    """Adds a photo to the class folders in the store."""
    (folder / "rust").mkdir(exist_ok=True, parents=True)
    (folder / "rust" / f"{number}.jpg").write_bytes(pictures(number + 1)[number].content)
    put_folder(folder, uri)


@pytest.fixture(scope="module")
def photos(store: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """Photos in the cluster's store, and the folder that they come from."""
    uri, folder = f"s3://phytoflow/test-{uuid.uuid4().hex[:8]}", tmp_path_factory.mktemp("photos")
    add_photo(uri, folder, 0)
    return uri, folder


@pytest.fixture(scope="module")
def hooks(photos: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The feature as its page describes, with a command that reads the photos; address of the webhooks."""
    folder = tmp_path_factory.mktemp("watch")
    package = str(folder / "pipeline.yaml")
    compile_ = ("pipeline", "compile", "--image", "localhost/phytoflow/pipeline:test", "--output", package)
    subprocess.run([sys.executable, "-m", "phytoflow.cli", *compile_], check=True)
    kubectl("create", "configmap", "phytoflow-pipeline", f"--from-file={package}")
    create = ("python", "-m", "serving.gateway", "keys", "create", "watch", "--scopes", "review")
    key = kubectl(
        "exec", "deployment/gateway", "--", *create, "--config", "/etc/gateway/gateway.yaml"
    ).strip()
    values = (f"--from-literal=gateway-token={key}", f"--from-literal=webhook-secret={SECRET}")
    kubectl("create", "secret", "generic", "phytoflow-watch", *values)
    variables = {
        "PHYTOFLOW_WATCH__TRIGGERS__DATA": photos[0],
        "PHYTOFLOW_WATCH__TRAIN": json.dumps(["phytoflow", "data", "version", "{data}"]),
        "PHYTOFLOW_WATCH__EVERY_SECONDS": "600",  # only a webhook makes it look again
        "PHYTOFLOW_WATCH__LIMITS__COOL_DOWN_HOURS": "0",
    }
    (folder / "kustomization.yaml").write_text(yaml.safe_dump(_overlay(folder, variables)))
    kubectl("apply", "-k", str(folder))
    kubectl("rollout", "status", "deployment/watch", "--timeout=180s")
    with forwarded("service/watch", 80) as port:
        yield f"http://127.0.0.1:{port}/hooks"
    kubectl("delete", "-k", str(folder))
    kubectl("delete", "configmap/phytoflow-pipeline", "secret/phytoflow-watch")
    kubectl("exec", "deployment/postgresql", "--", "sh", "-c", _DROP)


_TABLES = "watch_events, watch_lease"
_DROP = f'psql --host /var/run/postgresql -U "$POSTGRES_USER" -d gateway -qc "drop table {_TABLES}"'


def _overlay(folder: Path, variables: dict[str, str]) -> Object:
    environment = [
        {
            "op": "add",
            "path": "/spec/template/spec/containers/0/env/-",
            "value": {"name": name, "value": value},
        }
        for name, value in variables.items()
    ]
    return {
        "namespace": "phytoflow-dev",
        "components": [os.path.relpath(ROOT / "kustomize" / "features" / "watch", folder.resolve())],
        "images": [{"name": "phytoflow/watch", "newName": "localhost/phytoflow/watch", "newTag": "test"}],
        "patches": [{"target": {"kind": "Deployment"}, "patch": yaml.safe_dump(environment)}],
    }


def test_a_webhook_makes_it_see_a_new_photo(hooks: str, photos: tuple[str, Path]) -> None:
    wait_until(lambda: len(audit_log()) == 1, 60, "the baseline")
    add_photo(*photos, 1)
    assert httpx.post(f"{hooks}/s3", json={}, timeout=10).status_code == 401
    assert len(audit_log()) == 1
    bearer = {"Authorization": f"Bearer {SECRET}"}
    assert httpx.post(f"{hooks}/s3", json={}, headers=bearer, timeout=10).status_code == 202
    wait_until(lambda: len(audit_log()) == 2 and audit_log()[-1][4] == "succeeded", 60, "a training")
    assert [event[3:6] for event in audit_log()] == [
        ["train", "baseline", "data"],
        ["train", "succeeded", "data"],
    ]


def test_a_dry_run_says_what_would_start(hooks: str, photos: tuple[str, Path]) -> None:
    before = len(audit_log())
    add_photo(*photos, 2)
    command = f"{' '.join(SETTINGS)} --once --dry-run 2>&1"
    assert "would start" in kubectl("exec", "deployment/watch", "--", "sh", "-c", command)
    assert len(audit_log()) == before


def test_a_lost_pod_loses_nothing_and_the_next_one_goes_on(hooks: str) -> None:
    before, (old,) = audit_log(), new_pods()
    kubectl("delete", "pod", old["metadata"]["name"], "--grace-period=0", "--force")
    wait_until(lambda: any(map(ready, new_pods())), 120, "another pod with the lease")
    assert old["metadata"]["name"] not in {pod["metadata"]["name"] for pod in new_pods()}
    wait_until(
        lambda: audit_log()[-1][4] == "succeeded" and len(audit_log()) > len(before), 60, "its training"
    )
    assert audit_log()[: len(before)] == before and len(audit_log()) == len(before) + 1


def test_it_is_scraped_and_has_no_token_of_the_kubernetes_api(hooks: str) -> None:
    def scraped() -> bool:
        query = 'watch_events_total{namespace="phytoflow-dev",action="train",state="succeeded"}'
        return bool(prometheus("query", query=query)["result"])

    wait_until(scraped, 240, "its metrics in Prometheus")  # its configuration arrives within two minutes
    look = "test ! -e /var/run/secrets/kubernetes.io && test -s $KF_PIPELINES_SA_TOKEN_PATH"
    kubectl("exec", "deployment/watch", "--", "sh", "-c", look)
