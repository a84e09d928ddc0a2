"""Dashboards and alerts: pages of the reference, and manifests."""

from __future__ import annotations

from phytoflow.alerts.catalogue import GROUPS, all_alerts
from phytoflow.alerts.prometheus import render_prometheus_rule
from phytoflow.alerts.rule import Alert, Record
from phytoflow.dashboards.catalogue import DASHBOARDS
from phytoflow.dashboards.grafana import render_config_maps
from phytoflow.dashboards.panel import Dashboard
from scripts.generate_docs.markdown import NOTE, cell, table

_GENERATED = "# `make docs` writes this file from {source}; tests/docs/test_generated.py holds it current.\n"
_DASHBOARDS = """# Dashboards

`manifests/monitoring` has them as ConfigMaps for Grafana's sidecar; `phytoflow dashboards` writes them as
files. The console's page System draws the same panels. [Watch the service](../how-to/watching.md) explains
both.
"""
_ALERTS = """# Alerts

Each alert has a section in the [runbooks](../how-to/runbooks.md). An alert fires once its condition has
returned a series for the time in the column "for".
"""


def rules_yaml() -> str:
    """manifests/monitoring/prometheusrule.yaml."""
    return _GENERATED.format(source="phytoflow/alerts") + render_prometheus_rule(GROUPS)


def dashboards_yaml() -> str:
    """manifests/monitoring/dashboards.yaml."""
    return _GENERATED.format(source="phytoflow/dashboards") + render_config_maps(DASHBOARDS)


def dashboards_page() -> str:
    """The page of dashboards: what each panel shows."""
    return "\n".join([NOTE, _DASHBOARDS, *(_dashboard(one) for one in DASHBOARDS)])


def _dashboard(dashboard: Dashboard) -> str:
    rows = ([cell(one.title), one.unit, cell(one.description)] for one in dashboard.panels)
    return f"## {dashboard.title}\n\n{table(['panel', 'unit', 'meaning'], rows)}"


def alerts_page() -> str:
    """The page of alerts, and of the series that Prometheus records for them."""
    alerts = (
        [f"[{one.name}](../how-to/runbooks.md#{one.name.lower()})", one.severity, one.hold, _code(one)]
        for one in all_alerts()
    )
    recorded = [rule for group in GROUPS for rule in group.rules if isinstance(rule, Record)]
    records = ([f"`{one.name}`", _code(one)] for one in recorded)
    return "\n".join(
        [
            NOTE,
            _ALERTS,
            table(["alert", "severity", "for", "condition"], alerts),
            "## Recorded series\n",
            table(["series", "expression"], records),
        ]
    )


def _code(rule: Alert | Record) -> str:
    return f"`{rule.expression}`".replace("|", "\\|")
