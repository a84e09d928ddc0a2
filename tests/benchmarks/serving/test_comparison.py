"""Figures are medians; comparisons are of servers that were started together."""

from __future__ import annotations

from benchmarks.serving.comparison import Side, ratios, table
from benchmarks.serving.measure import Row
from benchmarks.serving.registry import OURS
from benchmarks.serving.upper_bound import Limit


def side(text: str, *starts: list[float]) -> Side:
    made = Side(text, OURS)
    for rates in starts:
        made.starts.append({})
        for rate in rates:
            made.add(Row(concurrency=8, rate=rate, p50=1, p99=2, cpu_ms=3, megabytes=4, others=0, wrong=1))
    return made


def test_figures_are_medians_and_wrong_answers_add_up() -> None:
    lines = list(table([side("ours --max_batch_size=4", [100, 300], [120])], [8], [[], []]))
    assert lines[-1] == "| ours --max_batch_size=4 | 120 | 2 | 3.0 | 3 |"


def test_servers_are_compared_start_by_start() -> None:
    """Medians of all: 100 and 110; but in most starts ours was the faster."""
    ours, peer = side("ours", [90], [100], [200]), side("triton", [80], [120], [110])
    limits = [[[Limit(batch=2, rate=rate, cpu_ms=1)]] for rate in (100, 200, 250)]
    lines = list(ratios([ours, peer], [8], limits))
    assert lines[-2:] == [
        "| triton | 1.125 (0.833 to 1.818) | 1.000 (1.000 to 1.000) |",
        "| the bound | 0.800 (0.500 to 0.900) |  |",
    ]


def test_the_bound_is_of_one_size_of_batch() -> None:
    """Not each start's luckiest."""
    limits = [
        [[Limit(batch=1, rate=100, cpu_ms=1), Limit(batch=2, rate=120, cpu_ms=1)]],
        [[Limit(batch=1, rate=110, cpu_ms=1), Limit(batch=2, rate=100, cpu_ms=1)]],
    ]
    ours = [side("ours", [90], [90])]
    assert list(ratios(ours, [8], limits))[-1] == "| the bound | 0.825 (0.750 to 0.900) |  |"
    assert list(table(ours, [8], limits))[-1].endswith("1: 105 (1.0), 2: 110 (1.0)")


def test_one_start_has_no_spread() -> None:
    lines = list(ratios([side("ours", [90]), side("triton", [60])], [8], [[]]))
    assert lines[-1] == "| triton | 1.500 | 1.000 |"
