"""Rules as Prometheus reads them: a file, or an object of the Prometheus operator."""

from __future__ import annotations

from typing import Any

import yaml

from phytoflow.alerts.rule import Alert, Group, Record


def render_rule_file(groups: tuple[Group, ...]) -> str:
    """A file for ``rule_files`` of Prometheus."""
    return _dump({"groups": [_build_group(group) for group in groups]})


def render_prometheus_rule(groups: tuple[Group, ...]) -> str:
    """A PrometheusRule for the Prometheus operator."""
    return _dump(
        {
            "apiVersion": "monitoring.coreos.com/v1",
            "kind": "PrometheusRule",
            # Older releases had rules on predictors only; another name would leave their object behind.
            "metadata": {
                "name": "phytoflow-predictors",
                "labels": {"app.kubernetes.io/part-of": "phytoflow"},
            },
            "spec": {"groups": [_build_group(group) for group in groups]},
        }
    )


def _build_group(group: Group) -> dict[str, Any]:
    return {"name": group.name, "rules": [_build_rule(rule) for rule in group.rules]}


def _build_rule(rule: Record | Alert) -> dict[str, Any]:
    if isinstance(rule, Record):
        return {"record": rule.name, "expr": rule.expression}
    return {
        "alert": rule.name,
        "expr": rule.expression,
        "for": rule.hold,
        "labels": {"severity": rule.severity},
        "annotations": {
            "summary": rule.summary,
            "description": rule.description,
            "runbook_url": rule.runbook,
        },
    }


def _dump(tree: dict[str, Any]) -> str:
    return yaml.safe_dump(tree, sort_keys=False, width=110)
