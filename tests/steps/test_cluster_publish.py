"""What of the settings reaches the InferenceService."""

from pathlib import Path

import pytest

from phytoflow.deploy.settings import DeploySettings, ServingSettings
from phytoflow.steps.cluster_publish import check
from tests.support.services.api_server import ApiServer


@pytest.mark.parametrize(("runtime", "arguments"), [("onnx", ["--runtime", "onnx"]), ("auto", [])])
def test_the_runtime_of_the_run_becomes_an_argument_of_the_predictor(
    runtime: str, arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ApiServer(lambda version, photo: [1.0])
    try:
        monkeypatch.setenv("KUBECONFIG", str(server.kubeconfig(tmp_path / "kubeconfig")))
        serving = ServingSettings.model_validate({"runtime": runtime})
        check(
            serving, DeploySettings(extra_args=("--log_level", "WARNING"), autoscaling="none"), "s3://runs/1"
        )
        (body,) = server.dry_runs
        assert body["spec"]["predictor"]["model"]["args"] == ["--log_level", "WARNING", *arguments]
    finally:
        server.close()
