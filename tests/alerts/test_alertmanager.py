"""Alertmanager's own tool takes the configuration and routes by it."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from phytoflow.alerts.alertmanager import render_config
from phytoflow.alerts.catalogue import all_alerts


@pytest.mark.parametrize("webhook", ["", "http://127.0.0.1:9/hook"])
def test_alertmanager_takes_it(tmp_path: Path, webhook: str) -> None:
    assert "1 receivers" in _amtool(tmp_path, webhook, "check-config", "alertmanager.yaml")
    routes = _amtool(tmp_path, webhook, "config", "routes", "test", "--config.file=alertmanager.yaml", "a=b")
    assert routes.split() == ["webhook"]


def _amtool(folder: Path, webhook: str, *words: str) -> str:
    if not shutil.which("amtool"):
        pytest.skip("no amtool on PATH (Debian: apt-get install prometheus-alertmanager)")
    (folder / "alertmanager.yaml").write_text(render_config(webhook))
    done = subprocess.run(["amtool", *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_without_a_webhook_alerts_are_kept_and_sent_nowhere() -> None:
    assert yaml.safe_load(render_config())["receivers"] == [{"name": "webhook"}]


def test_what_it_inhibits_exists() -> None:
    names = {alert.name for alert in all_alerts()}
    (rule,) = yaml.safe_load(render_config())["inhibit_rules"]
    (source,), (target,) = rule["source_matchers"], rule["target_matchers"]
    assert {name for name in names if name in source} == {
        "PhytoflowGatewayDown",
        "PhytoflowPredictorUnreachable",
    }
    assert target == 'alertname=~"Phytoflow(Availability|Latency)Burns(Fast|Slowly)"'
    assert (
        sum(name.startswith(("PhytoflowAvailabilityBurns", "PhytoflowLatencyBurns")) for name in names) == 4
    )
