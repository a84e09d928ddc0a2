"""Charts as SVG, drawn on the server: no script, the page's colours, readable by a screen reader."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup, escape

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 220, 44, 24, 8
_WIDEST_BAR = 60.0
_TIMES_OF_DAY = timedelta(days=1)  # up to this range the axis has hours, beyond it days
SERIES = 8  # classes drawn in colours of their own; further ones are summed up


@dataclass(frozen=True)
class Series:
    """One line or one colour of the bars.

    Attributes:
        name: For the legend.
        values: One a time; None where there is none.
    """

    name: str
    values: Sequence[float | None]


def stacked_bars(title: str, times: Sequence[datetime], series: Sequence[Series]) -> Markup:
    """Bars by time, one colour a series."""
    totals = [sum(one.values[i] or 0 for one in series) for i in range(len(times))]
    top = round_up(max(totals, default=0))
    step = (_WIDTH - _LEFT) / max(1, len(times))
    width = min(0.8 * step, _WIDEST_BAR)
    parts = []
    for i, time in enumerate(times):
        y = float(_HEIGHT - _BOTTOM)
        for number, one in enumerate(series):
            height = (one.values[i] or 0) / top * (_HEIGHT - _BOTTOM - _TOP)
            y -= height
            if height:
                words = f"{time:%Y-%m-%d %H:%M} · {one.name}: {one.values[i]:g}"
                x = _LEFT + (i + 0.5) * step - width / 2
                parts.append(
                    f'<rect class="series-{number}" x="{x:.1f}" y="{y:.1f}" '
                    f'width="{width:.1f}" height="{height:.1f}"><title>{escape(words)}</title></rect>'
                )
    return frame(title, _time_labels(times), (0, top), "".join(parts))


def lines(
    title: str, times: Sequence[datetime], series: Sequence[Series], top: float | None = None
) -> Markup:
    """Lines over time."""
    known = [value for one in series for value in one.values if value is not None]
    top = top or round_up(max(known, default=0))
    step = (_WIDTH - _LEFT) / max(1, len(times))
    parts = []
    for number, one in enumerate(series):
        points = [
            (_LEFT + (i + 0.5) * step, _HEIGHT - _BOTTOM - value / top * (_HEIGHT - _BOTTOM - _TOP), i, value)
            for i, value in enumerate(one.values)
            if value is not None
        ]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in points)
        parts.append(f'<polyline class="series-{number}" points="{path}"/>')
        parts += [
            f'<circle class="series-{number}" cx="{x:.1f}" cy="{y:.1f}" r="3"><title>'
            f"{escape(f'{times[i]:%Y-%m-%d %H:%M} · {one.name}: {value:.3g}')}</title></circle>"
            for x, y, i, value in points
        ]
    return frame(title, _time_labels(times), (0, top), "".join(parts))


def _time_labels(times: Sequence[datetime]) -> list[tuple[float, str]]:
    """Places and texts on the axis of time."""
    step, every = 1 / max(1, len(times)), max(1, len(times) // 6)
    short = bool(times) and times[-1] - times[0] <= _TIMES_OF_DAY
    return [
        ((i + 0.5) * step, f"{times[i]:%H:%M}" if short else f"{times[i]:%m-%d}")
        for i in range(0, len(times), every)
    ]


def place(x: float, y: float) -> tuple[float, float]:
    """Where a point is drawn; its coordinates are shares of the axes."""
    return _LEFT + x * (_WIDTH - _LEFT), _HEIGHT - _BOTTOM - y * (_HEIGHT - _BOTTOM - _TOP)


def frame(title: str, labels: Sequence[tuple[float, str]], ends: tuple[float, float], inner: str) -> Markup:
    """Axes, grid and labels around a chart.

    Args:
        title: For screen readers.
        labels: Place, as a share of the axis, and text below the chart.
        ends: Lowest and highest value.
        inner: What is drawn.
    """
    parts = []
    for share in (0, 0.5, 1):
        x, y = place(0, share)
        value = ends[0] + share * (ends[1] - ends[0])
        parts.append(f'<line class="grid" x1="{x:g}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        parts.append(f'<text x="{x - 6:g}" y="{y + 4:.1f}" text-anchor="end">{value:g}</text>')
    for share, label in labels:
        parts.append(
            f'<text x="{place(share, 0)[0]:.1f}" y="{_HEIGHT - 6}" text-anchor="middle">{label}</text>'
        )
    return Markup(
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}{inner}</svg>"
    )


def round_up(value: float) -> float:
    """A round number not below the value, for the top of an axis."""
    if value <= 0:
        return 1
    magnitude = 10.0 ** math.floor(math.log10(value))
    return next(factor * magnitude for factor in (1, 2, 4, 5, 8, 10, 20) if factor * magnitude >= value)
