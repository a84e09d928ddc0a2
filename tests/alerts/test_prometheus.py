"""Rules as a file and as an object of the Prometheus operator."""

from __future__ import annotations

import yaml

from phytoflow.alerts.prometheus import render_prometheus_rule, render_rule_file
from phytoflow.alerts.rule import Alert, Group, Record

GROUP = Group(
    "plants",
    (
        Record("phytoflow:photos:rate1m", "sum(rate(photos_total[1m]))"),
        Alert("PhytoflowDark", "phytoflow:photos:rate1m == 0", "2m", "warning", "no photos", "Take some."),
    ),
)


def test_a_group_is_written_with_all_its_rules() -> None:
    (group,) = yaml.safe_load(render_rule_file((GROUP,)))["groups"]
    record, alert = group["rules"]
    assert record == {"record": "phytoflow:photos:rate1m", "expr": "sum(rate(photos_total[1m]))"}
    assert alert == {
        "alert": "PhytoflowDark",
        "expr": "phytoflow:photos:rate1m == 0",
        "for": "2m",
        "labels": {"severity": "warning"},
        "annotations": {
            "summary": "no photos",
            "description": "Take some.",
            "runbook_url": "docs/how-to/runbooks.md#phytoflowdark",
        },
    }


def test_the_object_of_the_operator_holds_the_same_groups() -> None:
    rule = yaml.safe_load(render_prometheus_rule((GROUP, GROUP)))
    assert rule["kind"] == "PrometheusRule"
    assert rule["spec"] == yaml.safe_load(render_rule_file((GROUP, GROUP)))
