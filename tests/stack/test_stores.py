"""Prometheus and Alertmanager of the stack, with their own checks of the configuration."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from phytoflow.stack import stores
from phytoflow.stack.layout import Layout
from tests.stack.test_table import plan


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    if not (shutil.which("promtool") and shutil.which("amtool")):
        pytest.skip("no promtool or amtool on PATH (Debian: prometheus, prometheus-alertmanager)")
    return Layout(tmp_path)


def test_prometheus_scrapes_every_process_and_sends_to_alertmanager(layout: Layout) -> None:
    assert stores.prometheus(layout, plan())
    file = layout.directory / "prometheus.yml"
    done = subprocess.run(["promtool", "check", "config", str(file)], capture_output=True, text=True)
    assert done.returncode == 0 and "rules found" in done.stdout, done.stdout + done.stderr
    settings = yaml.safe_load(file.read_text())
    assert [one["job_name"] for one in settings["scrape_configs"]] == ["gateway", "worker", "predictor"]
    (receivers,) = settings["alerting"]["alertmanagers"]
    assert receivers["static_configs"] == [{"targets": [f"127.0.0.1:{plan().ports['alertmanager']}"]}]


def test_without_alertmanager_prometheus_sends_nothing(layout: Layout) -> None:
    stores.prometheus(layout, plan(("alertmanager",)))
    assert "alerting" not in yaml.safe_load((layout.directory / "prometheus.yml").read_text())
    assert stores.alertmanager(layout, plan(("prometheus",))) is None


def test_no_photo_waits_for_the_pages_about_the_service(layout: Layout) -> None:
    services = [make(layout, plan()) for make in (stores.mlflow, stores.alertmanager, stores.prometheus)]
    assert all(service and service.optional for service in services)


def test_a_changed_configuration_of_alertmanager_stays(layout: Layout) -> None:
    service = stores.alertmanager(layout, plan())
    assert service and "--cluster.listen-address=" in service.command
    file = layout.directory / "alertmanager.yaml"
    done = subprocess.run(["amtool", "check-config", str(file)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    file.write_text("changed")
    stores.alertmanager(layout, plan())
    assert file.read_text() == "changed" and file.stat().st_mode & 0o077 == 0
