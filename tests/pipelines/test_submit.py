"""What is refused before a backend is asked; runs on a real backend are in tests/e2e."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from phytoflow.errors import ConfigError
from phytoflow.system.ports import free_port
from pipelines.__main__ import app, write
from pipelines.compile_options import CompileOptions
from pipelines.submit import BackendError, connect

ARGUMENTS = ["--data", "s3://photos/leaves", "--output", "s3://runs/1"]


def test_a_wrong_setting_is_refused_before_the_backend_is_asked() -> None:
    command = ["submit", "--host", "http://127.0.0.1:1", *ARGUMENTS, "--set", "training.cached_view=3"]
    done = CliRunner().invoke(app, command)
    assert isinstance(done.exception, ConfigError) and "training.cached_views" in str(done.exception)


def test_a_backend_that_is_not_there_is_said() -> None:
    with pytest.raises(BackendError, match="no Kubeflow Pipelines at"):
        connect(f"http://127.0.0.1:{free_port()}")


def test_a_pipeline_without_image_is_not_submitted(tmp_path: Path) -> None:
    from pipelines.submit import Backend, submit

    package = write(tmp_path / "pipeline.yaml", CompileOptions())
    with pytest.raises(ConfigError, match="names no image"):
        submit(Backend(None, ""), package, {})  # type: ignore[arg-type]
    with pytest.raises(ConfigError, match="no compiled pipeline"):
        submit(Backend(None, ""), tmp_path / "none.yaml", {})  # type: ignore[arg-type]


def test_a_node_selector_that_is_no_json_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["compile", "--output", str(tmp_path / "p"), "--node-selector", "gpu=a100"]
    )
    assert isinstance(done.exception, ConfigError) and "gpu=a100" in str(done.exception)
