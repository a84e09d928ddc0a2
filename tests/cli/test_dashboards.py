"""`phytoflow dashboards` writes what the programs read."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from phytoflow.cli.main import app

ALERTMANAGER = "alertmanager.yaml"


def test_files_for_grafana_prometheus_and_alertmanager(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["dashboards", str(tmp_path / "new"), "--webhook", "https://chat.example/x"]
    )
    assert done.exit_code == 0, done.output
    files = {path.name: path.read_text() for path in (tmp_path / "new").iterdir()}
    boards = {name: json.loads(text) for name, text in files.items() if name.endswith(".json")}
    assert {f"{board['uid']}.json" for board in boards.values()} == set(boards) and len(boards) == 3
    assert {group["name"] for group in yaml.safe_load(files["rules.yaml"])["groups"]} >= {"phytoflow-gateway"}
    (receiver,) = yaml.safe_load(files[ALERTMANAGER])["receivers"]
    assert receiver["webhook_configs"] == [{"url": "https://chat.example/x", "send_resolved": True}]


@pytest.mark.parametrize("webhook", ["", "http://127.0.0.1:9/hook"])
def test_alertmanager_takes_its_configuration(tmp_path: Path, webhook: str) -> None:
    if not shutil.which("amtool"):
        pytest.skip("no amtool on PATH (Debian: apt-get install prometheus-alertmanager)")
    CliRunner().invoke(app, ["dashboards", str(tmp_path), "--webhook", webhook])
    command = ["amtool", "check-config", str(tmp_path / ALERTMANAGER)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "1 receivers" in done.stdout, done.stdout + done.stderr
