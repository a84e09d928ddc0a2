"""Timing of calls on a machine that does other things too."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np

_WARM_UP = 3  # calls that are not timed


def interleaved_medians(calls: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Median milliseconds of each call; they take turns, so that a busy moment affects all of them.

    Args:
        calls: The calls to time.
        rounds: Timings of each call, after a warm-up.
    """
    for call in calls:
        for _ in range(_WARM_UP):
            call()
    times = [[_milliseconds(call) for call in calls] for _ in range(rounds)]
    return [float(median) for median in np.median(times, axis=0)]


def _milliseconds(call: Callable[[], object]) -> float:
    started = time.perf_counter()
    call()
    return (time.perf_counter() - started) * 1000
