"""What is refused before a backend is asked; runs on a real backend are in tests/e2e."""

from pathlib import Path

import pytest

from phytoflow.errors import BackendError, ConfigError, GateError
from phytoflow.system.ports import free_port
from pipelines.compile_options import CompileOptions
from pipelines.package import write_package
from pipelines.submit import Backend, connect, submit, wait
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


def test_a_run_of_a_name_is_submitted_once_and_again_after_a_failure(package: Path) -> None:
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


def test_a_run_that_its_gate_ended_is_told_from_one_that_failed(package: Path) -> None:
    with kfp_backend() as running:
        backend = connect(running.url)
        run = submit(backend, package, {"data": "sample"}).id
        running.state = "FAILED"
        running.tasks = [{"display_name": "train", "state": "FAILED"}, {"display_name": "refuse"}]
        with pytest.raises(BackendError, match="ended FAILED"):
            wait(backend, run, 60)
        running.tasks = [{"display_name": "refuse", "state": "FAILED"}]
        with pytest.raises(GateError, match="the gate refused the model of run r1") as refusal:
            wait(backend, run, 60)
    assert "report.html" in refusal.value.remedy


def test_a_projected_token_is_read_again_for_a_long_wait(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text("first")
    monkeypatch.setenv("KF_PIPELINES_SA_TOKEN_PATH", str(token))
    with kfp_backend() as running:
        backend = connect(running.url)
        token.write_text("second")  # as the kubelet does each hour
        submit(backend, package, {"data": "sample"})
    assert (running.authorizations[0], running.authorizations[-1]) == ("Bearer first", "Bearer second")
