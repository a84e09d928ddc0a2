"""Curves of several runs in one chart."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup, escape

from phytoflow.tracking.runs import RunRecord
from serving.gateway.console.charts import frame, place, round_up

_END = 0.985  # of the axis: the last dot is within the picture
_MARKED = 60  # curves with more points have no dots: they would touch


def draw_curve(name: str, runs: Sequence[RunRecord]) -> Markup:
    """One metric by step, in each run's colour.

    Args:
        name: The metric; at least one run has its curve.
        runs: The runs in the order of the legend.
    """
    curves = {n: run.curves[name] for n, run in enumerate(runs) if name in run.curves}
    steps = [step for curve in curves.values() for step, _ in curve]
    first, last = min(steps), max(max(steps), min(steps) + 1)
    low, high = _ends([value for curve in curves.values() for _, value in curve])
    parts = []
    for number, curve in curves.items():
        points = [
            (*place(_END * (step - first) / (last - first), (value - low) / (high - low)), step, value)
            for step, value in curve
        ]
        parts.append(
            f'<polyline class="series-{number}" points="'
            + " ".join(f"{x:.1f},{y:.1f}" for x, y, *_ in points)
            + '"/>'
        )
        parts += [
            f'<circle class="series-{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>'
            f"{escape(f'{number + 1}: {runs[number].name} · {step}: {value:.4g}')}</title></circle>"
            for x, y, step, value in (points if len(points) <= _MARKED else ())
        ]
    labels = [(0.0, str(first)), (_END / 2, f"{(first + last) / 2:g}"), (_END, str(last))]
    return frame(name, labels, (low, high), "".join(parts))


def _ends(values: Sequence[float]) -> tuple[float, float]:
    """Round numbers around the values, so that curves that are close together are told apart."""
    low, high = min(values), max(values)
    half = round_up((high - low) / 2 or abs(high) / 2)
    start = math.floor(low / half) * half
    while start + 2 * half < high:
        half = round_up(half * 1.01)
        start = math.floor(low / half) * half
    return start, start + 2 * half
