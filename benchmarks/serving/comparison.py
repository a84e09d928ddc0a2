"""Servers side by side: what was measured of each, by start, and how the first compares with the others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain

from benchmarks.serving.measure import Row, median
from benchmarks.serving.registry import Peer
from benchmarks.serving.results import spread
from benchmarks.serving.upper_bound import Limit, best, medians

Limits = list[list[Limit]]
"""The bound for one start: one entry per round, with a limit for each batch size."""


@dataclass
class Side:
    """One of those compared.

    Attributes:
        text: As the command line names it.
        peer: How it is asked.
        starts: Windows by concurrency, of each time it was started.
    """

    text: str
    peer: Peer
    starts: list[dict[int, list[Row]]] = field(default_factory=list)

    def add(self, row: Row) -> None:
        """Notes a window of the latest start."""
        self.starts[-1].setdefault(row.concurrency, []).append(row)

    def all(self, clients: int) -> Row:
        """Medians over all windows."""
        return median([row for start in self.starts for row in start[clients]])

    def each(self, clients: int) -> list[Row]:
        """Medians of each start."""
        return [median(start[clients]) for start in self.starts]


def table(sides: Sequence[Side], clients: Sequence[int], limits: Sequence[Limits]) -> Iterator[str]:
    """Medians; ``limits`` are the bound's, by start, or empty."""
    yield f"| | {' | '.join(f'photos/s at {c} | p99 ms | CPU ms | wrong' for c in clients)} |"
    yield "|---" * (1 + 4 * len(clients)) + "|"
    for side in sides:
        middle = [side.all(c) for c in clients]
        cells = (f"{row.rate:.0f} | {row.p99:.0f} | {row.cpu_ms:.1f} | {row.wrong}" for row in middle)
        yield f"| {side.text} | {' | '.join(cells)} |"
    if found := medians(list(chain.from_iterable(limits))):
        sizes = (f"{one.batch}: {one.rate:.0f} ({one.cpu_ms:.1f})" for one in found)
        yield f"\nbound, photos/s in batches of (ms of CPU a photo): {', '.join(sizes)}"


def ratios(sides: Sequence[Side], clients: Sequence[int], limits: Sequence[Limits]) -> Iterator[str]:
    """The first of the sides by each of the others and by the bound: the median start's, least and most."""
    first, *others = sides
    yield f"\n| {first.text} by | {' | '.join(f'photos/s at {c} | p99' for c in clients)} |"
    yield "|---" * (1 + 2 * len(clients)) + "|"
    for other in others:
        yield f"| {other.text} | {' | '.join(_compared(first.each(c), other.each(c)) for c in clients)} |"
    if rates := _bounds(limits):
        yield f"| the bound | {' | '.join(f'{_share(first.each(c), rates)} | ' for c in clients)} |"


def _bounds(limits: Sequence[Limits]) -> list[float]:
    """Each start's, of the size that is best of all: the best of each would be the luckiest of four."""
    found = best(list(chain.from_iterable(limits)))
    return [one.rate for each in limits for one in medians(each) if found and one.batch == found.batch]


def _compared(ours: Sequence[Row], theirs: Sequence[Row]) -> str:
    pairs = list(zip(ours, theirs, strict=True))
    rates, slowest = [a.rate / b.rate for a, b in pairs], [a.p99 / b.p99 for a, b in pairs]
    return f"{spread(rates, 3)} | {spread(slowest, 3)}"


def _share(ours: Sequence[Row], rates: Sequence[float]) -> str:
    return spread([row.rate / rate for row, rate in zip(ours, rates, strict=True)], 3)
