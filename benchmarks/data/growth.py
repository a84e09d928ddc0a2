"""How seconds and memory of a step grow with the number of photos: a table and a plot."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Measured:
    """What one step took.

    Attributes:
        kind: ``photos``, or ``rows`` without photos.
        count: How many.
        step: Its name.
        seconds: Wall clock.
        peak: Largest resident memory of the process meanwhile, in bytes.
    """

    kind: str
    count: int
    step: str
    seconds: float
    peak: int

    def to_json(self) -> str:
        """Returns one line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Measured:
        """Reads what ``to_json`` wrote."""
        return cls(**json.loads(line))


def table_lines(measured: Sequence[Measured]) -> Iterator[str]:
    """Rows of a table in Markdown.

    Memory a million is what more photos add: the difference from the next smaller number of the same kind.
    """
    for one in measured:
        seconds = one.seconds * 1e6 / one.count
        cells = [f"{one.count:,}", one.kind, one.step, f"{one.seconds:.1f}", f"{one.peak / 1e6:.0f}"]
        yield f"| {' | '.join([*cells, f'{seconds:,.0f}', _memory_a_million(one, measured)])} |"


def _memory_a_million(one: Measured, measured: Sequence[Measured]) -> str:
    smaller = [m for m in measured if (m.kind, m.step) == (one.kind, one.step) and m.count < one.count]
    if not smaller:
        return ""
    base = max(smaller, key=lambda other: other.count)
    # So many bytes a photo are as many MB a million.
    return f"{max(one.peak - base.peak, 0) / (one.count - base.count):,.0f}"


def draw_growth(measured: Sequence[Measured], file: Path) -> None:
    """Draws seconds and memory over the number of photos, both axes logarithmic, as an SVG.

    Args:
        measured: At two numbers of photos or more.
        file: The SVG to write; the same figures give the same bytes.
    """
    import matplotlib as mpl
    from matplotlib.figure import Figure

    with mpl.rc_context({"svg.hashsalt": "phytoflow", "svg.fonttype": "none"}):
        figure = Figure(figsize=(9, 4.5), layout="constrained")
        for axes, value, title in zip(figure.subplots(1, 2), _VALUES, _TITLES, strict=True):
            for kind, step in dict.fromkeys((m.kind, m.step) for m in measured):
                line = sorted((m.count, value(m)) for m in measured if (m.kind, m.step) == (kind, step))
                dashes = "--" if kind == "rows" else "-"
                axes.plot(*zip(*line, strict=True), dashes, marker="o", label=f"{step} ({kind})")
            axes.set(xscale="log", yscale="log", title=title, xlabel="photos")
            axes.grid(alpha=0.3)
        axes.legend(fontsize="x-small")
        figure.savefig(file, metadata={"Date": None})


_VALUES = (lambda m: max(m.seconds, 0.01), lambda m: m.peak / 1e6)
_TITLES = ("Seconds of each step", "Peak of memory, MB")
