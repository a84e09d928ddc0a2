"""`phytoflow runs compare` on a real MLflow store."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from phytoflow.cli.main import app
from phytoflow.errors import ConfigError
from phytoflow.tracking.settings import TrackingSettings
from phytoflow.tracking.tracker import Tracker


def test_two_runs_are_compared(tmp_path: Path) -> None:
    for name, dropout in (("small", 0.2), ("large", 0.4)):
        with Tracker.open(TrackingSettings(), tmp_path, name=name) as tracker:
            tracker.log_params({"training": {"dropout": dropout}})
            tracker.log_scalars({"test.accuracy": 1 - dropout})
    html = tmp_path / "runs.html"
    arguments = ["runs", "compare", "--output", str(tmp_path), "--html", str(html)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0, done.output
    assert "training.dropout  0.2  0.4" in done.output and "80.0%" in done.output
    assert "2: large" in html.read_text()
    alone = CliRunner().invoke(app, ["runs", "compare", "large", "--output", str(tmp_path)])
    assert isinstance(alone.exception, ConfigError)
    assert f"experiment phytoflow of {tmp_path / 'mlflow.db'}" in str(alone.exception)


def test_a_folder_without_runs_is_named_and_not_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    done = CliRunner().invoke(app, ["runs", "compare", "--output", str(tmp_path / "elsewhere")])
    assert isinstance(done.exception, ConfigError) and "elsewhere has no mlflow.db" in str(done.exception)
    assert not (tmp_path / "elsewhere").exists()
