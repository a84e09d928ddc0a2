"""Dashboards in Grafana's JSON model, and as ConfigMaps that Grafana's sidecar reads."""

from __future__ import annotations

import json
from typing import Any

import yaml

from phytoflow.dashboards.panel import Dashboard, Panel

_SCHEMA_VERSION = 39  # of the JSON model of Grafana 11; later versions migrate it when they load it
_WIDTH, _HEIGHT, _COLUMNS = 12, 8, 2  # in Grafana's grid of 24 columns
_DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
SIDECAR_LABEL = {"grafana_dashboard": "1"}
"""Label that the sidecar of Grafana's Helm chart looks for by default."""


def render_json(dashboard: Dashboard) -> str:
    """The dashboard as a file that Grafana imports."""
    return json.dumps(_build_dashboard(dashboard), indent=1) + "\n"


def render_config_maps(dashboards: tuple[Dashboard, ...]) -> str:
    """A YAML document with a ConfigMap for each dashboard."""
    return yaml.safe_dump_all(
        (_build_config_map(one) for one in dashboards), sort_keys=False, width=10**6, default_style=None
    )


def _build_config_map(dashboard: Dashboard) -> dict[str, Any]:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": f"{dashboard.uid}-dashboard",
            "labels": {"app.kubernetes.io/part-of": "phytoflow"} | SIDECAR_LABEL,
        },
        # One line: a diff of the panels is read in the Python files, and this stays small.
        "data": {f"{dashboard.uid}.json": json.dumps(_build_dashboard(dashboard), separators=(",", ":"))},
    }


def _build_dashboard(dashboard: Dashboard) -> dict[str, Any]:
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "description": dashboard.description,
        "tags": ["phytoflow"],
        "schemaVersion": _SCHEMA_VERSION,
        "editable": False,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": [_datasource_variable(), _namespace_variable()]},
        "panels": [_build_panel(number, panel) for number, panel in enumerate(dashboard.panels)],
    }


def _datasource_variable() -> dict[str, Any]:
    return {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus"}


def _namespace_variable() -> dict[str, Any]:
    """Namespaces in which phytoflow runs; "all" matches series without a namespace, too."""
    query = "label_values(up, namespace)"
    return {
        "name": "namespace",
        "label": "Namespace",
        "type": "query",
        "datasource": _DATASOURCE,
        "definition": query,
        "query": {"query": query, "refId": "namespaces"},
        "refresh": 2,  # whenever the time range changes
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
    }


def _build_panel(number: int, panel: Panel) -> dict[str, Any]:
    defaults: dict[str, Any] = {"unit": panel.unit, "min": 0, "noValue": panel.no_data}
    if panel.maximum is not None:
        defaults["max"] = panel.maximum
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": panel.title,
        "description": panel.description,
        "datasource": _DATASOURCE,
        "gridPos": {
            "x": number % _COLUMNS * _WIDTH,
            "y": number // _COLUMNS * _HEIGHT,
            "w": _WIDTH,
            "h": _HEIGHT,
        },
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {
            "legend": {"displayMode": "list", "placement": "bottom"},
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
        "targets": [
            {
                "refId": chr(ord("A") + index),
                "datasource": _DATASOURCE,
                "expr": query.expression,
                "legendFormat": query.legend,
            }
            for index, query in enumerate(panel.queries)
        ],
    }
