"""What holds for every panel."""

from __future__ import annotations

import re

import pytest

from phytoflow.alerts.catalogue import GROUPS
from phytoflow.alerts.rule import Record
from phytoflow.dashboards.catalogue import DASHBOARDS
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
