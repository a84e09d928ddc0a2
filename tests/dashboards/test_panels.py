"""What holds for every panel, and what the files are that are made of them."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from phytoflow.alerts.catalogue import GROUPS
from phytoflow.alerts.rule import Record
from phytoflow.dashboards.catalogue import DASHBOARDS
from phytoflow.dashboards.grafana import render_config_maps, render_json
from phytoflow.dashboards.panel import Panel, Query
from tests.support.metric_names import exported_names

PANELS = [panel for dashboard in DASHBOARDS for panel in dashboard.panels]
UNITS = {"reqps", "percentunit", "s", "bytes", "short"}


def test_there_are_three_dashboards_of_eight_panels_or_more() -> None:
    assert [one.uid for one in DASHBOARDS] == ["phytoflow-api", "phytoflow-model", "phytoflow-infrastructure"]
    assert all(len(one.panels) >= 8 for one in DASHBOARDS)
    assert len({panel.title for panel in PANELS}) == len(PANELS)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_panel_explains_itself(panel: Panel) -> None:
    assert 3 < len(panel.title) <= 40 and panel.title[0].isupper()
    assert panel.unit in UNITS
    for text in (panel.description, panel.no_data):
        assert len(text) >= 15 and text.endswith(".")
    assert panel.queries and all(query.legend for query in panel.queries)


@pytest.mark.parametrize("panel", PANELS, ids=lambda panel: panel.title)
def test_a_panel_selects_metrics_that_exist_in_the_namespace_that_was_chosen(panel: Panel) -> None:
    recorded = {rule.name for group in GROUPS for rule in group.rules if isinstance(rule, Record)}
    for query in panel.queries:
        assert query.metrics and query.metrics <= exported_names() | recorded
        selectors = re.findall(r"\{([^{}]*)\}", query.expression)
        assert selectors and all('namespace=~"$namespace"' in selector for selector in selectors)
        assert "$" not in query.substitute({"namespace": ".*", "__rate_interval": "1m"})


def test_metrics_are_read_from_an_expression() -> None:
    query = Query('sum(rate(a_total{x="1"}[1m])) / max(level:b:rate5m{})', "x")
    assert query.metrics == {"a_total", "level:b:rate5m"}


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
