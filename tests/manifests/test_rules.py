"""The recording rules and alerts, evaluated by Prometheus' own promtool."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.manifests.conftest import ROOT

RULE = ROOT / "manifests" / "monitoring" / "prometheusrule.yaml"
TESTS = Path(__file__).with_name("prometheusrule_test.yaml")


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    """The rules as a file of Prometheus, with their tests next to it."""
    if not shutil.which("promtool"):
        pytest.skip("no promtool on the path (scripts/install-tools)")
    spec = yaml.safe_load(RULE.read_text())["spec"]
    for rule in (rule for group in spec["groups"] for rule in group["rules"]):
        rule.get("annotations", {}).pop("runbook_url", None)  # tests/alerts looks at it
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(spec))
    shutil.copy(TESTS, tmp_path)
    return tmp_path


def promtool(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["promtool", *words], cwd=folder, capture_output=True, text=True, check=False)


def test_the_rules_are_valid(rules: Path) -> None:
    done = promtool(rules, "check", "rules", "rules.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_rule_fires_and_is_silent_when_it_should(rules: Path) -> None:
    done = promtool(rules, "test", "rules", TESTS.name)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_tested_firing_and_silent_and_every_record_is_tested() -> None:
    group = yaml.safe_load(RULE.read_text())["spec"]["groups"][0]  # tests/alerts is about the others
    assert group["name"] == "phytoflow-predictors"
    defined = group["rules"]
    cases = [case for test in yaml.safe_load(TESTS.read_text())["tests"] for case in _cases(test)]
    firing = {case["alertname"] for case in cases if case.get("exp_alerts")}
    silent = {case["alertname"] for case in cases if case.get("exp_alerts") == []}
    alerts = {rule["alert"] for rule in defined if "alert" in rule}
    assert firing == alerts and alerts - silent <= {
        "PhytoflowNoReadyReplica"
    }  # silent series within its case
    assert {rule["record"] for rule in defined if "record" in rule} == {
        case["expr"] for case in cases if "expr" in case
    }


def _cases(test: dict[str, list[dict[str, object]]]) -> list[dict[str, object]]:
    return [*test.get("alert_rule_test", []), *test.get("promql_expr_test", [])]


def test_a_broken_rule_is_noticed(rules: Path) -> None:
    """The error alert as it was when it counted clients' photos: promtool must refuse it."""
    file = rules / "rules.yaml"
    text = file.read_text()
    assert 'code="5xx"' in text
    file.write_text(text.replace('prediction_errors_total{code="5xx"}', "prediction_errors_total", 1))
    assert promtool(rules, "test", "rules", TESTS.name).returncode != 0
