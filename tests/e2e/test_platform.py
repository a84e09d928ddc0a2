"""The dev overlay: its stores, and a run that is recorded in them."""

import subprocess
import sys
from pathlib import Path

import mlflow
import pytest
import yaml
from minio import Minio

from phytoflow.bundle.bundle import Bundle
from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from tests.e2e.cluster import forwarded, get, kubectl, prometheus, wait_until
from tests.e2e.conftest import DEPLOYMENTS
from tests.e2e.names import own_name
from tests.e2e.place import QUICK

MODEL = own_name("model")


def test_everything_is_ready_and_real(platform: str) -> None:
    for name in DEPLOYMENTS:
        status = get("deployment", name)["status"]
        assert status["readyReplicas"] == status["replicas"] == 1, name
    question = "select count(*) from information_schema.tables where table_name = 'registered_models'"
    words = (
        "sh",
        "-c",
        f'psql --host /var/run/postgresql -U "$POSTGRES_USER" -d "$POSTGRES_DB" -tAc "{question}"',
    )
    assert kubectl("exec", "deployment/postgresql", "--", *words).strip() == "1"


@pytest.mark.timeout(900)
def test_a_run_is_registered_in_mlflow_and_its_artifacts_lie_in_minio(
    store: dict[str, str], tmp_path: Path
) -> None:
    photos = make_synthetic_dataset(tmp_path / "photos", photos_per_class=20, seed=1)
    settings, out = tmp_path / "settings.yaml", tmp_path / "out"
    with forwarded("service/mlflow", 5000) as port:
        tracking = f"http://127.0.0.1:{port}"
        recorded = {"tracking": {"uri": tracking, "registered_model": MODEL}, "serving": {"publish": False}}
        settings.write_text(yaml.safe_dump({"preset": "fast"} | QUICK | recorded))
        command = [sys.executable, "-m", "phytoflow.cli", "run", "--data", str(photos), "--output", str(out)]
        command += ["--config", str(settings)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=800)
        assert done.returncode == 0, done.stdout + done.stderr
        client = mlflow.MlflowClient(tracking)
        version = client.search_model_versions(f"name='{MODEL}'")[0]
        assert version.tags["bundle_version"] == Bundle.load(out / "bundle").manifest.version
        assert client.get_run(version.run_id).data.metrics
    minio = Minio(
        endpoint=store["AWS_ENDPOINT_URL_S3"].partition("://")[2],
        access_key=store["AWS_ACCESS_KEY_ID"],
        secret_key=store["AWS_SECRET_ACCESS_KEY"],
        secure=False,
    )
    names = [o.object_name for o in minio.list_objects("phytoflow", prefix="mlflow/", recursive=True)]
    assert any(f"{version.run_id}/" in name and name.endswith("bundle.json") for name in names)


def test_every_rule_is_evaluated_without_error(platform: str) -> None:
    def rules() -> list[dict[str, str]]:
        groups = prometheus("rules")["groups"]
        return [
            rule for group in groups if group["name"] == "phytoflow-predictors" for rule in group["rules"]
        ]

    wait_until(
        lambda: bool(rules()) and all(r["health"] != "unknown" for r in rules()), 120, "rules evaluated"
    )
    assert {rule["health"] for rule in rules()} == {"ok"}, rules()
    alerts = {rule["name"] for rule in rules() if rule["type"] == "alerting"}
    assert alerts >= {
        "PhytoflowLatencyHigh",
        "PhytoflowErrors",
        "PhytoflowSaturated",
        "PhytoflowNoReadyReplica",
    }
