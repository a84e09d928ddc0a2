"""Figures of a comparison in words, and the comparison as lines for a terminal."""

from __future__ import annotations

from phytoflow.tracking.compare.comparison import Figure, RunComparison, Unit

_CLASSES = 10  # of which the terminal shows the figures


def format_value(value: float | None, unit: Unit) -> str:
    """A value in its unit; a dash where it was not measured."""
    if value is None:
        return "–"
    match unit:
        case "share":
            return f"{100 * value:.1f}%"
        case "milliseconds":
            return f"{value:.1f} ms"
        case "seconds":
            return f"{value / 60:.1f} min" if value >= 60 else f"{value:.0f} s"
        case "number":
            return f"{value:.4g}"


def format_cell(figure: Figure, index: int) -> str:
    """The figure of one run, with its interval if it has one."""
    text, interval = format_value(figure.values[index], figure.unit), figure.intervals[index]
    if interval is None:
        return text
    low, high = (format_value(end, figure.unit) for end in interval)
    return f"{text} ({low} to {high})"


def describe_runs(comparison: RunComparison) -> list[str]:
    """The comparison as lines: names, settings that differ, figures, cost, the classes that differ most."""
    head = [f"{number}: {run.name} ({run.id[:8]})" for number, run in enumerate(comparison.runs, 1)]
    rows = [(name, values) for name, values in comparison.settings.items()]
    lines = [*head, "", "Settings that differ:" if rows else "All settings are the same.", *_align(rows)]
    parts = (
        ("Figures on the test photos, with 95% intervals:", comparison.figures),
        ("Cost:", comparison.cost),
        ("F1 of the classes that differ most:", comparison.classes[:_CLASSES]),
    )
    for title, figures in parts:
        if figures:
            count = range(len(comparison.runs))
            lines += ["", title]
            lines += _align([(one.name, tuple(format_cell(one, n) for n in count)) for one in figures])
    if not comparison.same_test:
        lines += ["", "The runs were tested on different photos: their figures cannot be compared."]
    return lines


def _align(rows: list[tuple[str, tuple[str, ...]]]) -> list[str]:
    table = [(name, *values) for name, values in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  " + "  ".join(f"{c:{w}}" for c, w in zip(row, widths, strict=True)).rstrip() for row in table]
