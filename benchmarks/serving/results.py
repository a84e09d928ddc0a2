"""Measurements of a server in one round, and of ours directly after each of its windows."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from pydantic import BaseModel

from benchmarks.serving.measure import Row, median
from benchmarks.serving.registry import OURS
from benchmarks.serving.upper_bound import Limit

CONCURRENCIES = (1, 8, 32)
LOADED = (8, 32)  # enough to keep every CPU busy, as the bound does


class Result(BaseModel):
    """One server in one set-up, in one round.

    Attributes:
        name: The framework.
        setup: ``documented``, ``handed``, ``one process`` (bare) or ``own``.
        form: Of the model.
        rows: By concurrency; empty if it could not be had.
        ours: Windows of ours, each right after the one it is compared with; empty for ours itself.
        why: Why it could not be had.
        first: Seconds from its start to its first answer.
    """

    name: str
    setup: str
    form: str
    rows: dict[int, Row] = {}
    ours: dict[int, Row] = {}
    why: str = ""
    first: float | None = None


class Bound(BaseModel):
    """The work without a server, in one round.

    Attributes:
        limits: One a size of batch.
        ours: By concurrency, the middle of a window before it and one after it.
    """

    limits: list[Limit]
    ours: dict[int, Row]


def together(rounds: Sequence[Result]) -> Result:
    """One server's rounds as medians; those in which it could not be had are left out."""
    had = [result for result in rounds if result.rows]
    if not had:
        return rounds[0]
    rows = {c: median([result.rows[c] for result in had]) for c in CONCURRENCIES}
    firsts = [result.first for result in had if result.first is not None]
    first = statistics.median(firsts) if firsts else None
    return rounds[0].model_copy(update={"rows": rows, "why": "", "first": first})


def spread(values: Sequence[float], digits: int = 2) -> str:
    """The median, and the least and the most where there are several."""
    least, middle, most = (f"{of(values):.{digits}f}" for of in (min, statistics.median, max))
    return middle if len(values) == 1 else f"{middle} ({least} to {most})"


def windows_of_ours(servers: Sequence[Sequence[Result]], bounds: Sequence[Bound]) -> dict[int, Row]:
    """Medians of all windows: its own and those measured directly after another server's."""
    results = [result for rounds in servers for result in rounds]
    windows = [result.rows if result.name == OURS.name else result.ours for result in results]
    windows += [bound.ours for bound in bounds]
    found = {c: [rows[c] for rows in windows if c in rows] for c in CONCURRENCIES}
    return {c: median(rows) for c, rows in found.items() if rows}
