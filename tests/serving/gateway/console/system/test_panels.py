"""Series and units of the System page; tests/dashboards draws every panel from a real Prometheus."""

from __future__ import annotations

import pytest

from phytoflow.dashboards.catalogue import DASHBOARDS
from phytoflow.dashboards.panel import Query
from serving.gateway.console.system.panels import _scale, _series, draw_dashboard


@pytest.mark.parametrize(
    ("unit", "largest", "expected"),
    [
        ("percentunit", 0.5, (100, "%")),
        ("s", 0.02, (1000, "ms")),
        ("s", 90.0, (1, "s")),
        ("s", 864000.0, (1 / 86400, "d")),
        ("bytes", 1e6, (2**-20, "MiB")),
        ("bytes", 1e10, (2**-30, "GiB")),
        ("reqps", 5, (1, "1/s")),
        ("short", 5, (1, "")),
    ],
)
def test_units_are_easy_to_read(unit: str, largest: float, expected: tuple[float, str]) -> None:
    assert _scale(unit, largest) == expected  # type: ignore[arg-type]


def test_a_series_is_named_by_its_labels_and_placed_by_its_times() -> None:
    query = Query("x", "{{job}} of {{instance}}")
    result = {
        "metric": {"job": "gateway", "instance": "a:1"},
        "values": [[110.0, "1.5"], [130.0, "NaN"], [140.0, "+Inf"]],
    }
    series = _series(query, result, [100.0, 110.0, 120.0, 130.0, 140.0], 10)
    assert series.name == "gateway of a:1" and series.values == [None, 1.5, None, None, None]


async def test_without_prometheus_there_are_panels_without_data() -> None:
    panels = await draw_dashboard("http://127.0.0.1:9", DASHBOARDS[0], 1)
    assert [one.svg for one in panels] == [None] * len(DASHBOARDS[0].panels)
