"""The files that are made of dashboards."""

from __future__ import annotations

import json

import yaml

from phytoflow.dashboards.catalogue import DASHBOARDS
from phytoflow.dashboards.grafana import render_config_maps, render_json


def test_the_data_source_is_a_variable_everywhere() -> None:
    for dashboard in DASHBOARDS:
        tree = json.loads(render_json(dashboard))
        sources = list(_datasources(tree))
        assert len(sources) > 2 * len(dashboard.panels)
        assert all(source == {"type": "prometheus", "uid": "${datasource}"} for source in sources)
        variables = {one["name"]: one["type"] for one in tree["templating"]["list"]}
        assert variables == {"datasource": "datasource", "namespace": "query"}


def _datasources(tree: object) -> list[object]:
    if isinstance(tree, dict):
        own = [tree["datasource"]] if "datasource" in tree else []
        return own + [found for value in tree.values() for found in _datasources(value)]
    return [found for value in tree for found in _datasources(value)] if isinstance(tree, list) else []


def test_panels_cover_the_grid_without_overlap() -> None:
    for dashboard in DASHBOARDS:
        panels = json.loads(render_json(dashboard))["panels"]
        places = [(panel["gridPos"]["x"], panel["gridPos"]["y"]) for panel in panels]
        assert len(set(places)) == len(places) and max(x for x, _ in places) == 12
        assert [panel["fieldConfig"]["defaults"]["noValue"] for panel in panels] == [
            panel.no_data for panel in dashboard.panels
        ]


def test_config_maps_are_found_by_the_sidecar_and_hold_the_same_dashboards() -> None:
    maps = list(yaml.safe_load_all(render_config_maps(DASHBOARDS)))
    assert [one["metadata"]["labels"]["grafana_dashboard"] for one in maps] == ["1"] * 3
    for one, dashboard in zip(maps, DASHBOARDS, strict=True):
        ((name, text),) = one["data"].items()
        assert name == f"{dashboard.uid}.json" and json.loads(text) == json.loads(render_json(dashboard))
        assert len(text.encode()) < 2**19  # half of what a ConfigMap holds
