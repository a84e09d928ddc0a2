"""A whole run with an object store as output: every step, a real MLflow server, an InferenceService."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from phytoflow.deploy.kubernetes.api import INFERENCE_SERVICES
from phytoflow.deploy.kubernetes.observe import observe
from phytoflow.errors import PhytoflowError
from phytoflow.steps.configure import configure
from phytoflow.storage.uri import exists
from phytoflow.tracking.registry import champion
from phytoflow.tracking.settings import TrackingSettings
from pipelines.local_runner import run_here
from tests.e2e.place import NAME, QUICK, SETTINGS, Place, place
from tests.support.services.mlflow_server import mlflow_server

__all__ = ["place"]


@pytest.fixture
def tracking(tmp_path: Path) -> Iterator[str]:
    with mlflow_server(tmp_path) as url:
        yield url


def _overrides(place: Place, tracking: str) -> dict[str, object]:
    deploy = SETTINGS.model_dump(mode="json") | {"namespace": place.admin.namespace}
    return QUICK | {"tracking": {"uri": tracking}, "deploy": deploy, "serving": {"name": NAME}}


@pytest.mark.timeout(900)
def test_from_photos_to_an_inference_service(place: Place, tracking: str, tmp_path: Path) -> None:
    make_synthetic_dataset(tmp_path / "photos", photos_per_class=20, seed=1)
    output = f"s3://{place.admin.namespace}/run"
    overrides = yaml.safe_dump(_overrides(place, tracking))
    parameters = {"data": str(tmp_path / "photos"), "output": output, "overrides": overrides}
    run_here(tmp_path / "here", parameters | {"preset": "fast", "seed": 0})
    for name in ("bundle/bundle.json", "metrics.json", "report.html", "data.html", "outcome.json"):
        assert exists(f"{output}/{name}"), name
    observation = observe(place.admin, NAME)
    annotations = observation.service["metadata"]["annotations"]
    version = annotations["phytoflow/bundle-version"]
    storage_uri = observation.service["spec"]["predictor"]["model"]["storageUri"]
    assert storage_uri == f"{output}/bundles/{version}" and exists(f"{storage_uri}/bundle.json")
    assert annotations["phytoflow/model-version"] == "1" and annotations["phytoflow/run"]
    assert place.ask()[0] == version
    found = champion(TrackingSettings(uri=tracking), output, tmp_path / "champion")
    assert found is not None and found.version == "1"
    pods = place.pods()
    assert f"serves already version {version}" in _deploy_champion(place, tracking, tmp_path)
    assert place.pods() == pods


def _deploy_champion(place: Place, tracking: str, tmp_path: Path) -> str:
    """Runs the command that a scheduled job runs; what it prints."""
    overrides = _overrides(place, tracking)
    settings = tmp_path / "settings.yaml"
    settings.write_text(yaml.safe_dump({key: overrides[key] for key in ("tracking", "deploy")}))
    command = [sys.executable, "-m", "phytoflow.cli", "deploy", NAME, "--champion"]
    command += ["--store", f"s3://{place.admin.namespace}/models", "--config", str(settings)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_what_the_last_steps_could_not_do_is_refused_by_the_first(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_synthetic_dataset(tmp_path / "photos", photos_per_class=4, seed=1)
    data, output = str(tmp_path / "photos"), f"s3://{place.admin.namespace}/refused"
    known = _overrides(place, "http://127.0.0.1:9")

    def refusal(to: str, changed: dict[str, object]) -> PhytoflowError:
        with pytest.raises(PhytoflowError) as refused:
            configure(data, "fast", 0, yaml.safe_dump(known | changed), to)
        return refused.value

    assert "tracking.uri" in refusal(output, {"tracking": {}}).remedy
    assert "s3://" in refusal(str(tmp_path), {"serving": {"target": "cluster"}}).remedy
    assert "serving.target=cluster" in refusal(output, {"serving": {"target": "local"}}).remedy
    plan = configure(data, "fast", 0, yaml.safe_dump(known), output)
    assert plan.settings.serving.name == NAME
    assert place.admin.get(INFERENCE_SERVICES, "never-made") is None
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    assert refusal(output, {}).exit_code == 12
