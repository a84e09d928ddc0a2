"""`phytoflow deploy`, `status` and `rollback` as a user runs them: what they print, and their exit codes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from phytoflow.deploy.kubernetes.api import Cluster
from phytoflow.deploy.kubernetes.inference_service import Release
from phytoflow.deploy.kubernetes.publisher import deploy
from phytoflow.deploy.kubernetes.smoke_test import SmokeTest
from phytoflow.deploy.settings import DeploySettings
from tests.support.services.api_server import ApiServer

ROW = [0.7, 0.2, 0.1]


def phytoflow(kubeconfig: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "phytoflow.cli", *arguments]
    environment = os.environ | {"KUBECONFIG": str(kubeconfig), "COLUMNS": "200"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


@pytest.mark.parametrize("command", ["deploy", "status", "rollback"])
def test_every_command_has_help_worth_reading(command: str, tmp_path: Path) -> None:
    done = phytoflow(tmp_path, command, "--help")
    assert done.returncode == 0 and len(done.stdout) > 400


def test_status_shows_what_serves(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = ApiServer(lambda version, photo: ROW)
    try:
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
        exam = SmokeTest("v1", (b"photo",), np.array([ROW], np.float32))
        release = Release("s3://models/leaf", "v1", {"run": "r7"})
        deploy(Cluster.connect(), "leaf", release, exam, DeploySettings(autoscaling="none"))
        done = phytoflow(tmp_path / "kubeconfig", "status", "leaf")
        assert done.returncode == 0, done.stderr
        for words in ("plants/leaf", "yes", "s3://models/leaf", "v1", "r7", "serves now"):
            assert words in done.stdout
        missing = phytoflow(tmp_path / "kubeconfig", "status", "rose")
        assert missing.returncode == 12 and "no InferenceService rose" in missing.stderr
        nothing = phytoflow(tmp_path / "kubeconfig", "rollback", "rose")
        assert nothing.returncode == 12 and "no good spec" in nothing.stderr
    finally:
        server.close()


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["deploy", "leaf", "--bundle", "out/bundle"], 12, "KUBECONFIG"),
        (["deploy", "leaf", "--bundle", "s3://a/b", "--set", "deploy.cpus=2"], 2, "Did you mean deploy.cpu?"),
        (["deploy", "leaf", "--bundle", "s3://a/b", "--set", "deploy.max_replicas=0"], 2, "max_replicas"),
        (["deploy", "leaf"], 2, "--bundle"),
        (["deploy", "leaf", "--bundle", "s3://a/b", "--champion"], 2, "--champion with --store"),
        (["deploy", "leaf", "--champion"], 2, "--champion with --store"),
    ],
)
def test_what_is_wrong_is_said(arguments: list[str], code: int, words: str, tmp_path: Path) -> None:
    done = phytoflow(tmp_path / "none", *arguments)
    assert done.returncode == code and words in done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_a_bundle_must_be_where_a_cluster_can_read_it(tmp_path: Path) -> None:
    server = ApiServer(lambda version, photo: ROW)
    done = phytoflow(server.kubeconfig(tmp_path / "kubeconfig"), "deploy", "leaf", "--bundle", "out/bundle")
    server.close()
    assert done.returncode == 2 and "s3://" in done.stderr
