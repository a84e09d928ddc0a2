"""Measurements of the ablation as a Markdown table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from benchmarks.serving.ablation.pieces import PIECES
from benchmarks.serving.measure import Row
from benchmarks.serving.results import spread

_P99_AT = 8


class Start(BaseModel):
    """One start of all servers; medians over its windows, by number of clients.

    Attributes:
        whole: The predictor as it is.
        without: By the piece taken away.
    """

    whole: dict[int, Row]
    without: dict[str, dict[int, Row]]


def table(starts: Sequence[Start]) -> Iterator[str]:
    """Ratios of the whole to what lacks a piece: above 1, the piece makes it faster (p99: below 1)."""
    clients = list(starts[0].whole) if starts else []
    rates_at = " | ".join(f"photos/s at {c}" for c in clients)
    yield f"| piece | {rates_at} | p99 at {_P99_AT} | CPU at {_P99_AT} | starts |"
    yield "|---" * (len(clients) + 4) + "|"
    for name in dict.fromkeys(name for start in starts for name in start.without):
        pairs = [(start.whole, start.without[name]) for start in starts if name in start.without]
        rates = [spread([whole[c].rate / less[c].rate for whole, less in pairs], 3) for c in clients]
        p99 = spread([whole[_P99_AT].p99 / less[_P99_AT].p99 for whole, less in pairs], 3)
        cpu = spread([whole[_P99_AT].cpu_ms / less[_P99_AT].cpu_ms for whole, less in pairs], 3)
        text = " and ".join(PIECES[part] for part in name.split("+"))
        yield f"| {text} | {' | '.join(rates)} | {p99} | {cpu} | {len(pairs)} |"
    wrong = sum(
        row.wrong
        for start in starts
        for rows in (start.whole, *start.without.values())
        for row in rows.values()
    )
    yield f"\n{wrong} wrong answers."
