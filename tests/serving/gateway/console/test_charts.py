"""Charts are well-formed, say their values, and escape names."""

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest

from serving.gateway.console.charts import Series, lines, stacked_bars

TIMES = [datetime(2026, 5, 1, tzinfo=UTC) + timedelta(days=n) for n in range(3)]


def test_bars_are_as_high_as_their_values() -> None:
    svg = ElementTree.fromstring(
        stacked_bars("Photos", TIMES, [Series("a", [1, 2, 4]), Series("<b>", [1, 0, 0])])
    )
    bars = [bar for bar in svg if bar.tag.endswith("rect")]
    heights = [float(bar.get("height", "0")) for bar in bars]
    assert heights[3] == pytest.approx(4 * heights[0], abs=0.2) and len(bars) == 4
    assert bars[1][0].text == "2026-05-01 00:00 · <b>: 1" and svg.get("aria-label") == "Photos"


def test_lines_skip_what_is_missing() -> None:
    svg = ElementTree.fromstring(lines("Share", TIMES, [Series("a", [0.5, None, 1.0])], top=1))
    assert len([dot for dot in svg if dot.tag.endswith("circle")]) == 2


def test_the_axis_names_hours_within_a_day_and_days_otherwise() -> None:
    hours = [datetime(2026, 5, 1, hour, tzinfo=UTC) for hour in (9, 10)]
    assert ">09:00<" in lines("Share", hours, [Series("a", [0.5, 1.0])], top=1)
    assert ">05-02<" in lines("Share", TIMES, [Series("a", [0.5, 1.0, 1.0])], top=1)


@pytest.mark.parametrize("draw", [stacked_bars, lines])
def test_nothing_to_draw(draw: object) -> None:
    assert "<svg" in draw("Empty", [], [])  # type: ignore[operator]


def test_the_axis_has_hours_for_a_day_and_days_beyond_it() -> None:
    hourly = [TIMES[0] + timedelta(hours=n) for n in range(3)]
    assert ">01:00<" in lines("Day", hourly, [Series("a", [1, 2, 3])])
    assert ">05-02<" in lines("Days", TIMES, [Series("a", [1, 2, 3])])


@pytest.mark.parametrize(("largest", "top"), [(0.03, "0.04"), (0.5, "0.5"), (7, "8"), (130, "200")])
def test_the_axis_ends_at_a_round_number(largest: float, top: str) -> None:
    assert f">{top}</text>" in lines("Top", TIMES, [Series("a", [largest, None, None])])
