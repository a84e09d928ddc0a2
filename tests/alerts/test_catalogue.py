"""Alerts on gateway and model, firing and silent in promtool; tests/manifests has those on predictors."""

from __future__ import annotations

import re
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from phytoflow.alerts.catalogue import GROUPS, all_alerts
from phytoflow.alerts.prometheus import render_rule_file
from phytoflow.alerts.rule import RUNBOOKS, Alert, Record
from tests.support.metric_names import exported_names

ROOT = Path(__file__).resolve().parents[2]
API = 'namespace="plants", route="/v1/predict"'
HEALTH = 'namespace="plants", route="/v1/health"'
REQUESTS = "gateway_requests_total"
SECONDS = "gateway_request_duration_seconds"


@dataclass(frozen=True)
class Case:
    """Series that make an alert fire, and series that are near to it and must not.

    Attributes:
        firing: Values by series, one every 15 seconds, in promtool's notation.
        summary: What the alert then says.
        silent: The same for silence.
        labels: Labels of the alert besides severity.
        minutes: When it is asked.
        interval: Of the values and of the evaluation.
    """

    firing: dict[str, str]
    summary: str
    silent: dict[str, str]
    labels: tuple[tuple[str, str], ...] = (("namespace", "plants"),)
    minutes: int = 20
    interval: str = "15s"


def _requests(failing: int, *, well: int = 90, more: str = "") -> dict[str, str]:
    return {
        f'{REQUESTS}{{{API}, status="200"}}': f"0+{well}x1500",
        f'{REQUESTS}{{{API}, status="503"}}': f"0+{failing}x1500{more}",
    }


def _durations(slow: int, of: int = 100) -> dict[str, str]:
    return {
        f'{SECONDS}_bucket{{{API}, le="1.0"}}': f"0+{of - slow}x1500",
        f'{SECONDS}_bucket{{{API}, le="+Inf"}}': f"0+{of}x1500",
        f"{SECONDS}_count{{{API}}}": f"0+{of}x1500",
        f'{REQUESTS}{{{API}, status="200"}}': f"0+{of}x1500",
    }


def _reasons(**by_reason: str) -> dict[str, str]:
    return {
        f'gateway_problems_total{{namespace="plants", reason="{reason}", code="5xx"}}': values
        for reason, values in by_reason.items()
    }


def _grade(present: str) -> dict[str, str]:
    return {
        f'gateway_drift_grade{{namespace="plants", grade="{grade}"}}': f"{int(grade == present)}x300"
        for grade in ("none", "ungraded", "harmless", "harmful", "unfamiliar")
    }


def _accuracy(estimate: str, namespace: str = "plants") -> dict[str, str]:
    return {
        f'gateway_estimated_accuracy{{namespace="{namespace}"}}': " ".join([estimate] * 300),
        f'gateway_reference_accuracy{{namespace="{namespace}"}}': "0.95x300",
    }


def _last_success(values: str, instance: str, namespace: str = "plants") -> dict[str, str]:
    metric = "gateway_drift_last_success_timestamp_seconds"
    return {f'{metric}{{namespace="{namespace}", instance="{instance}"}}': values}


CASES = {
    "PhytoflowAvailabilityBurnsFast": Case(
        _requests(10),
        "10% of the requests fail, within the last 1h",
        # 5% failing is slower; the health page and three requests at night do not count; an hour ago is over.
        _requests(5, well=95)
        | {f'{REQUESTS}{{{HEALTH}, status="503"}}': "0+900x1500"}
        | {f'{REQUESTS}{{namespace="night", route="/v1/predict", status="503"}}': "0 0 0 1x200"}
        | {f'{REQUESTS}{{namespace="over", route="/v1/predict", status="503"}}': "0+90x100 9000x1400"}
        | {f'{REQUESTS}{{namespace="over", route="/v1/predict", status="200"}}': "0+90x1500"},
        minutes=35,
    ),
    "PhytoflowAvailabilityBurnsSlowly": Case(
        _requests(5, well=95), "5% of the requests fail, within the last 6h", _requests(2, well=98)
    ),
    "PhytoflowLatencyBurnsFast": Case(
        _durations(80),
        "80% of the requests take longer than a second, within the last 1h",
        _durations(60),
    ),
    "PhytoflowLatencyBurnsSlowly": Case(
        _durations(40),
        "40% of the requests take longer than a second, within the last 6h",
        _durations(20),
    ),
    "PhytoflowGatewayDown": Case(
        {'up{job="gateway", namespace="plants", instance="a"}': "1x60 0x20"},
        "no replica of the gateway answers",
        {
            'up{job="gateway", namespace="plants", instance="a"}': "1x60 0x20",
            'up{job="gateway", namespace="plants", instance="b"}': "1x80",
            'up{job="other", namespace="other"}': "0x80",
        },
        minutes=17,
    ),
    "PhytoflowPredictorUnreachable": Case(
        _reasons(predictor_unreachable="0+1x200"),
        "requests fail because of the predictor: predictor_unreachable",
        _reasons(predictor_unreachable="7x200", queue_full="0+5x200", overloaded="0+5x200"),
        labels=(("namespace", "plants"), ("reason", "predictor_unreachable")),
    ),
    "PhytoflowGatewayRefusing": Case(
        _reasons(queue_full="0+1x200"),
        "requests are refused: queue_full",
        _reasons(queue_full="7x200", predictor_unreachable="0+5x200", internal_error="0+5x200"),
        labels=(("namespace", "plants"), ("reason", "queue_full")),
    ),
    "PhytoflowDatabaseAway": Case(
        {
            'gateway_database_up{namespace="plants", instance="a"}': "0x200",
            'gateway_database_up{namespace="plants", instance="b"}': "1x200",
        },
        "the database does not answer; predictions wait on disk",
        # Away for 15 seconds only.
        {'gateway_database_up{namespace="plants"}': "1x78 0 1x200"},
    ),
    "PhytoflowPredictionsLost": Case(
        {'gateway_predictions_dropped_total{namespace="plants"}': "0x60 4x40"},
        "4 predictions were not logged within ten minutes",
        {'gateway_predictions_dropped_total{namespace="plants"}': "4x200"},
    ),
    "PhytoflowPhotosNotStored": Case(
        {'gateway_photos_not_stored_total{namespace="plants", reason="storage"}': "0x60 2x40"},
        "2 photos were not stored within ten minutes: storage",
        {
            'gateway_photos_not_stored_total{namespace="plants", reason="busy"}': "0+3x200",
            'gateway_photos_not_stored_total{namespace="plants", reason="storage"}': "2x200",
        },
        labels=(("namespace", "plants"), ("reason", "storage")),
    ),
    "PhytoflowLimiterDegraded": Case(
        {'gateway_limiter_degraded{namespace="plants"}': "1x200"},
        "Redis does not answer; each replica limits its own share",
        {'gateway_limiter_degraded{namespace="plants"}': "0x200"},
    ),
    "PhytoflowTasksWait": Case(
        {'gateway_oldest_task_seconds{namespace="plants"}': "0+15x200"},
        "the oldest asynchronous task has waited 20m 0s",
        {'gateway_oldest_task_seconds{namespace="plants"}': "29x200"},
    ),
    "PhytoflowUnknownPhotos": Case(
        {
            'gateway_photos_total{namespace="plants", source="rest"}': "0+8x200",
            'gateway_photos_total{namespace="plants", source="console"}': "0+2x200",
            'gateway_unknown_photos_total{namespace="plants"}': "0+3x200",
        },
        "30% of the photos resemble no training photos",
        {  # 10%; and every photo of the twenty that a quiet namespace saw
            'gateway_photos_total{namespace="plants", source="rest"}': "0+10x200",
            'gateway_unknown_photos_total{namespace="plants"}': "0+1x200",
            'gateway_photos_total{namespace="quiet", source="rest"}': "0+1x20 20x180",
            'gateway_unknown_photos_total{namespace="quiet"}': "0+1x20 20x180",
        },
    ),
    "PhytoflowContradicted": Case(
        {
            'gateway_feedback_total{namespace="plants", verdict="label"}': "0+2x200",
            'gateway_feedback_total{namespace="plants", verdict="right"}': "0+2x200",
            'gateway_feedback_total{namespace="plants", verdict="cannot_tell"}': "0+9x200",
        },
        "users contradict 50% of the predictions they judged today",
        {
            'gateway_feedback_total{namespace="plants", verdict="label"}': "0+1x200",
            'gateway_feedback_total{namespace="plants", verdict="right"}': "0+4x200",
            'gateway_feedback_total{namespace="quiet", verdict="label"}': "0 3x200",
            'gateway_feedback_total{namespace="quiet", verdict="right"}': "0x200",
        },
    ),
    "PhytoflowDrift": Case(
        _grade("harmless"),
        "the photos changed; grade: harmless",
        _grade("harmful"),
        (("namespace", "plants"), ("grade", "harmless")),
    ),
    "PhytoflowDriftHarmful": Case(
        _grade("unfamiliar"),
        "the photos changed, and the answers suffer; grade: unfamiliar",
        _grade("harmless"),
        (("namespace", "plants"), ("grade", "unfamiliar")),
    ),
    "PhytoflowAccuracyFell": Case(
        _accuracy("0.8"),
        "the estimated accuracy lies 15% below that of the reference",
        _accuracy("0.86") | _accuracy("NaN", "unknown"),
    ),
    "PhytoflowDriftNotWatched": Case(
        # Two that stopped after one minute and after two, and one that has no reference.
        _last_success("0+15x4 60x200", "a")
        | _last_success("0+15x8 120x200", "b")
        | _last_success("0x200", "c"),
        "photos have not been compared with the reference for 18m 0s",
        # One of two goes on; a namespace without a reference; rounds every ten minutes.
        _last_success("60x200", "a")
        | _last_success("0+15x200", "b")
        | _last_success("0x200", "a", "unwatched")
        | _last_success("1x40 601x40 1201x40", "a", "seldom"),
    ),
    "PhytoflowModelOld": Case(
        # Time begins at 0 in promtool.
        {'model_created_timestamp_seconds{namespace="plants", inferenceservice="leaf"}': "1x200"},
        "the model is 181 days old",
        {
            'model_created_timestamp_seconds{namespace="plants", inferenceservice="leaf"}': "86400x200",
            'model_created_timestamp_seconds{namespace="plants", inferenceservice="of-old"}': "0x200",
        },
        labels=(("namespace", "plants"), ("inferenceservice", "leaf")),
        minutes=181 * 24 * 60,
        interval="1d",
    ),
    "PhytoflowRolloutStuck": Case(
        {'gateway_rollout_stage_seconds{namespace="plants"}': "302400x200"},
        "the rollout has been in its stage for 3.5 days",
        {'gateway_rollout_stage_seconds{namespace="plants"}': "259200x200"},
    ),
    "PhytoflowRetrainingFailed": Case(
        {'watch_events_total{namespace="plants", action="train", state="failed"}': "0x60 1x40"},
        "a training that `phytoflow watch` started has failed",
        {
            'watch_events_total{namespace="plants", action="train", state="succeeded"}': "0x60 1x40",
            'watch_events_total{namespace="plants", action="deploy", state="failed"}': "0x60 1x40",
            'watch_events_total{namespace="plants", action="train", state="failed"}': "1x200",
        },
    ),
    "PhytoflowVersionRejected": Case(
        {
            'model_version_changes_total{namespace="plants", inferenceservice="leaf", outcome="rejected"}': (
                "0x60 1x40"
            )
        },
        "a predictor rejected a version; the version before answers",
        {
            'model_version_changes_total{namespace="plants", inferenceservice="leaf", outcome="loaded"}': (
                "0+1x200"
            ),
            'model_version_changes_total{namespace="plants", inferenceservice="leaf", outcome="rejected"}': (
                "1x200"
            ),
        },
        labels=(("namespace", "plants"), ("inferenceservice", "leaf")),
    ),
}
_NAME = re.compile(r"(?<![\w\"'.:-])([a-z]+(?:_[a-z]+)+|phytoflow:[\w:]+|up)(?=[\s{\[)>]|$)")
ALERTS = {alert.name: alert for alert in all_alerts()}
ON_PREDICTORS = {rule.name for rule in GROUPS[0].rules if isinstance(rule, Alert)}


def test_every_alert_has_a_case() -> None:
    assert len(ALERTS) >= 12
    assert CASES.keys() == ALERTS.keys() - ON_PREDICTORS


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not shutil.which("promtool"):
        pytest.skip("no promtool on the path (scripts/install-tools)")
    file = tmp_path_factory.mktemp("rules") / "rules.yaml"
    file.write_text(render_rule_file(GROUPS))
    return file


def test_each_fires_and_is_silent_when_it_should(rules: Path) -> None:
    output = _promtool(rules, CASES)
    assert "FAILED" not in output, output


def test_promtool_notices_each_that_does_not(rules: Path) -> None:
    """With the series of a silent alert where it should fire, and the other way round."""
    swapped = {name: replace(case, firing=case.silent, silent=case.firing) for name, case in CASES.items()}
    output = _promtool(rules, swapped)
    assert {name: output.count(f"alertname: {name},") for name in CASES} == dict.fromkeys(CASES, 2)


def _promtool(rules: Path, cases: dict[str, Case]) -> str:
    """Runs the cases; those of one interval share a file, and a run."""
    files = []
    for interval in sorted({case.interval for case in cases.values()}):
        tests = [
            test
            for name, case in cases.items()
            if case.interval == interval
            for test in (
                _unit_test(name, case, case.firing, [_fired(name, case)]),
                _unit_test(name, case, case.silent, []),
            )
        ]
        tree = {"rule_files": [rules.name], "evaluation_interval": interval, "tests": tests}
        files.append(rules.with_name(f"test-{interval}.yaml"))
        files[-1].write_text(yaml.safe_dump(tree))
    command = ["promtool", "test", "rules", *(file.name for file in files)]
    done = subprocess.run(command, cwd=rules.parent, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def _fired(name: str, case: Case) -> dict[str, Any]:
    alert = ALERTS[name]
    notes = {"summary": case.summary, "description": alert.description, "runbook_url": alert.runbook}
    return {"exp_labels": {"severity": alert.severity} | dict(case.labels), "exp_annotations": notes}


def _unit_test(name: str, case: Case, series: dict[str, str], expected: list[Any]) -> dict[str, Any]:
    return {
        "interval": case.interval,
        "input_series": [{"series": key, "values": values} for key, values in series.items()],
        "alert_rule_test": [{"alertname": name, "eval_time": f"{case.minutes}m", "exp_alerts": expected}],
    }


@pytest.mark.parametrize("alert", all_alerts(), ids=lambda alert: alert.name)
def test_an_alert_has_a_runbook_and_reads_what_is_exported(alert: Alert) -> None:
    headings = re.findall(r"^## (\w+)$", (ROOT / RUNBOOKS).read_text(), re.MULTILINE)
    assert alert.name in headings and alert.runbook == f"{RUNBOOKS}#{alert.name.lower()}"
    assert (
        alert.summary
        and alert.description.endswith(".")
        and alert.severity
        in (
            "critical",
            "warning",
            "info",
        )
    )
    recorded = {rule.name for group in GROUPS for rule in group.rules if isinstance(rule, Record)}
    names = set(_NAME.findall(alert.expression)) - {"max_over_time", "histogram_quantile"}
    assert names and names <= exported_names() | recorded


def test_no_runbook_is_about_an_alert_that_is_gone() -> None:
    headings = set(re.findall(r"^## (Phytoflow\w+)$", (ROOT / RUNBOOKS).read_text(), re.MULTILINE))
    assert headings == ALERTS.keys()


def test_half_of_the_alerts_or_more_only_ask_for_a_look() -> None:
    """People who are called too often stop looking."""
    assert sum(alert.severity == "critical" for alert in ALERTS.values()) <= len(ALERTS) / 2
