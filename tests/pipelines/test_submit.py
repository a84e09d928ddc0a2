"""What is refused before a backend is asked; runs on a real backend are in tests/e2e."""

from pathlib import Path

import pytest

from phytoflow.errors import BackendError, ConfigError
from phytoflow.system.ports import free_port
from pipelines.compile_options import CompileOptions
from pipelines.package import write_package
from pipelines.submit import Backend, connect, submit
from tests.support.services.kfp_backend import kfp_backend


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


def test_a_run_of_a_name_is_submitted_once_and_again_after_a_failure(tmp_path: Path) -> None:
    package = write_package(tmp_path / "pipeline.yaml", CompileOptions(image="registry/pipeline:1"))
    with kfp_backend() as running:
        backend = connect(running.url)

        def send(name: str) -> str:
            return submit(backend, package, {"data": "sample"}, name=name, once=True).id

        assert [send("watch-000007"), send("watch-000007")] == ["r1", "r1"]
        assert send("watch-000008") == "r2"
        running.state = "FAILED"
        assert send("watch-000007") == "r3" and len(running.runs) == 3
        with pytest.raises(ConfigError, match="needs a name"):
            send("")


def test_a_projected_token_is_read_again_for_a_long_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = write_package(tmp_path / "pipeline.yaml", CompileOptions(image="registry/pipeline:1"))
    token = tmp_path / "token"
    token.write_text("first")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(token))
    with kfp_backend() as running:
        backend = connect(running.url)
        token.write_text("second")  # as the kubelet does each hour
        submit(backend, package, {"data": "sample"})
    assert (running.authorizations[0], running.authorizations[-1]) == ("Bearer first", "Bearer second")
