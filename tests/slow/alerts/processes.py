"""The predictor, the worker and the watcher of the service, each a process of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.slow.alerts.service import PHOTO
from tests.support.golden import BUNDLE
from tests.support.services.gateway import ROOT, RunningGateway
from tests.support.services.servers import Server, start


def start_predictor(folder: Path, **options: object) -> Server:
    """A model of today, on one thread, and two versions that it may be given: an old and a broken one."""
    bundles = folder / "bundles"
    for name, created in (("leaf", datetime.now(UTC).isoformat()), ("old", "2025-01-01T00:00:00Z")):
        shutil.copytree(BUNDLE, bundles / name)
        manifest = json.loads((bundles / name / "bundle.json").read_text())
        manifest["provenance"]["created"] = created
        (bundles / name / "bundle.json").write_text(json.dumps(manifest))
    shutil.copytree(BUNDLE, bundles / "broken")
    (bundles / "broken" / "model.onnx").write_bytes(b"no model")
    fixed: dict[str, object] = {
        "bundle_repository": bundles,
        "model_control_mode": "explicit",
        "model_name": "leaf",
        "inference_threads": 1,
        "max_photos_per_request": 100,
    }
    return start(bundles / "leaf", folder / "predictor.log", **fixed, **options)


def start_worker(gateway: RunningGateway) -> subprocess.Popen[bytes]:
    """The gateway's worker for asynchronous tasks."""
    command = [sys.executable, "-m", "serving.gateway", "worker", "--directory", str(gateway.directory)]
    environment = os.environ | gateway.environment | {"PYTHONPATH": str(ROOT)}
    with gateway.log.with_name("worker.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=ROOT)


def start_watch(folder: Path, metrics: str) -> subprocess.Popen[bytes]:
    """A watcher whose trainings fail; its photos are in ``photos-to-watch``."""
    (folder / "photos-to-watch" / "rust").mkdir(parents=True)
    (folder / "photos-to-watch" / "rust" / "a.jpg").write_bytes(PHOTO)
    settings = {
        "directory": str(folder / "watch"),
        "metrics": metrics,
        "every_seconds": 1,
        "triggers": {"data": str(folder / "photos-to-watch")},
        "train": ["false"],
    }
    (folder / "watch.yaml").write_text(json.dumps(settings))  # JSON is YAML
    command = [sys.executable, "-m", "phytoflow.cli", "watch", str(folder / "watch.yaml")]
    with (folder / "watch.log").open("wb") as log:
        return subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT)
