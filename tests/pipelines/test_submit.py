"""What is refused before a backend is asked; runs on a real backend are in tests/e2e."""

from pathlib import Path

import pytest

from phytoflow.errors import BackendError, ConfigError
from phytoflow.system.ports import free_port
from pipelines.compile_options import CompileOptions
from pipelines.package import write_package
from pipelines.submit import Backend, connect, submit


def test_a_backend_that_is_not_there_is_said() -> None:
    with pytest.raises(BackendError, match="no Kubeflow Pipelines at"):
        connect(f"http://127.0.0.1:{free_port()}")


def test_a_pipeline_without_image_is_not_submitted(tmp_path: Path) -> None:
    package = write_package(tmp_path / "pipeline.yaml", CompileOptions())
    with pytest.raises(ConfigError, match="names no image") as refusal:
        submit(Backend(None, ""), package, {})
    assert "phytoflow pipeline compile --image" in refusal.value.remedy
    with pytest.raises(ConfigError, match="no compiled pipeline"):
        submit(Backend(None, ""), tmp_path / "none.yaml", {})
