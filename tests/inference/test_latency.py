"""Interleaved timing."""

from collections.abc import Callable

import pytest

from phytoflow.inference import latency
from phytoflow.inference.latency import interleaved_medians


def test_calls_take_turns_and_each_gets_its_own_median(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, order = [0.0], list[str]()
    monkeypatch.setattr(latency.time, "perf_counter", lambda: clock[0])

    def call(name: str, seconds: list[float]) -> Callable[[], None]:
        def spend() -> None:
            order.append(name)
            clock[0] += seconds[order.count(name) % len(seconds)]

        return spend

    fast, slow = interleaved_medians([call("fast", [0.001]), call("slow", [0.01, 0.01, 5.0])], rounds=5)
    assert fast == pytest.approx(1) and slow == pytest.approx(10)  # outliers do not count
    assert order[-10:] == ["fast", "slow"] * 5
