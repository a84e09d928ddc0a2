"""`phytoflow dashboards` writes what the programs read."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from phytoflow.cli.main import app
from phytoflow.errors import ConfigError


def test_files_for_grafana_prometheus_and_alertmanager(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["dashboards", str(tmp_path / "new"), "--webhook", "https://chat.example/x"]
    )
    assert done.exit_code == 0, done.output
    files = {path.name: path.read_text() for path in (tmp_path / "new").iterdir()}
    boards = {name: json.loads(text) for name, text in files.items() if name.endswith(".json")}
    assert {f"{board['uid']}.json" for board in boards.values()} == set(boards) and len(boards) == 3
    assert {group["name"] for group in yaml.safe_load(files["rules.yaml"])["groups"]} >= {"phytoflow-gateway"}
    (receiver,) = yaml.safe_load(files["alertmanager.yaml"])["receivers"]
    assert receiver["webhook_configs"] == [{"url": "https://chat.example/x", "send_resolved": True}]


def test_an_address_that_is_no_url_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--webhook alerts is no URL"):
        CliRunner().invoke(
            app, ["dashboards", str(tmp_path / "new"), "--webhook", "alerts"], catch_exceptions=False
        )
    assert not (tmp_path / "new").exists()
