"""The comparison as lines, and values in their units."""

from __future__ import annotations

import pytest

from phytoflow.tracking.compare.comparison import Unit, compare_runs
from phytoflow.tracking.compare.text import describe_runs, format_value
from tests.support.run_records import run_record


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "share", "–"),
        (0.9375, "share", "93.8%"),
        (7.71, "milliseconds", "7.7 ms"),
        (59.4, "seconds", "59 s"),
        (150.0, "seconds", "2.5 min"),
        (40.0, "number", "40"),
    ],
)
def test_units(value: float | None, unit: Unit, text: str) -> None:
    assert format_value(value, unit) == text


def test_lines_of_a_comparison() -> None:
    one = run_record("one", {"test.accuracy": 0.9, "test.photos": 40}, parameters={"seed": "0"})
    interval = {"test.intervals.accuracy.low": 0.5, "test.intervals.accuracy.high": 1.0}
    two = run_record("two", {"test.accuracy": 0.95, "test.photos": 44} | interval, parameters={"seed": "1"})
    lines = describe_runs(compare_runs([one, two]))
    assert lines[0] == "1: one (one-id-o)"
    assert "  seed  0  1" in lines
    assert "  Accuracy     90.0%  95.0% (50.0% to 100.0%)" in lines
    assert lines[-1].startswith("The runs were tested on different photos")
    same = describe_runs(compare_runs([one, one]))
    assert "All settings are the same." in same and not same[-1].startswith("The runs were")
