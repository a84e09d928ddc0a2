"""Curves of several runs in one chart."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest

from serving.gateway.console.runs.curves import _ends, draw_curve
from tests.support.run_records import run_record

LOSS = "train/loss"


def _parts(svg: str, tag: str) -> list[ElementTree.Element]:
    return [one for one in ElementTree.fromstring(svg) if one.tag.endswith(tag)]


def test_each_run_has_its_colour_and_points_say_their_values() -> None:
    one = run_record("<one>", curves={LOSS: [(0, 1.0), (10, 0.5)]})
    none = run_record("none")
    two = run_record("two", curves={LOSS: [(0, 0.8), (5, 0.6)]})
    svg = draw_curve(LOSS, [one, none, two])
    assert [line.get("class") for line in _parts(svg, "polyline")] == ["series-0", "series-2"]
    first, *_, last = _parts(svg, "circle")
    assert first[0].text == "1: <one> · 0: 1" and last[0].text == "3: two · 5: 0.6"
    # Step 5 is in the middle of the axis, which ends with the longest curve.
    left, middle, right = (float(_parts(svg, "circle")[n].get("cx", 0)) for n in (0, 3, 1))
    assert middle == pytest.approx((left + right) / 2, abs=0.1)
    assert float(_parts(svg, "circle")[0].get("cy", 0)) < float(_parts(svg, "circle")[1].get("cy", 0))


def test_long_curves_have_no_dots() -> None:
    run = run_record("long", curves={LOSS: [(step, 1 / (step + 1)) for step in range(500)]})
    assert _parts(draw_curve(LOSS, [run]), "circle") == []


@pytest.mark.parametrize(
    "values", [[0.95, 0.97], [0.0, 1.0], [-3.0, 2.5], [0.3, 0.3], [0.0], [1e-5, 3e-4], [120.0, 1340.0]]
)
def test_the_axis_holds_all_values_and_little_more(values: list[float]) -> None:
    low, high = _ends(values)
    assert low <= min(values) <= max(values) <= high and low < high
    assert high - low <= 5 * (max(values) - min(values)) or len(set(values)) == 1
