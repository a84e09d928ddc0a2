"""What is printed is what was measured."""

from __future__ import annotations

from benchmarks.gateway.log_cost import report


def test_differences_are_of_windows_in_one_round() -> None:
    times = {
        "with": [{"p50": 6.0, "p99": 11.0}, {"p50": 26.0, "p99": 41.0}, {"p50": 16.0, "p99": 30.0}],
        "without": [{"p50": 5.5, "p99": 10.0}, {"p50": 25.5, "p99": 40.5}, {"p50": 15.5, "p99": 32.0}],
    }
    assert report(times) == [
        "p50: without the log 15.50 ms, with it 16.00 ms, added 0.50 ms (0.50 to 0.50)",
        "p99: without the log 32.00 ms, with it 30.00 ms, added 0.50 ms (-2.00 to 1.00)",
    ]
