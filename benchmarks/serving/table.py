"""The rows as one table, with what they come to."""

from __future__ import annotations

import os
import statistics
from collections.abc import Iterator, Sequence

from pydantic import BaseModel

from benchmarks.serving.bound import Limit
from benchmarks.serving.catalogue import OURS
from benchmarks.serving.measure import QUIET, Row, median

CONCURRENCIES = (1, 8, 32)
_AGAINST = {
    "best documented peer": "documented",
    "best handed peer": "handed",
    "bare loop in one process": "one process",
}


class Result(BaseModel):
    """One server in one set-up.

    Attributes:
        name: The framework.
        setup: ``documented``, ``handed``, ``one process`` (bare) or ``own``.
        form: Of the model.
        rows: By concurrency; empty if it could not be had.
        why: Why it could not be had.
        first: Seconds from its start to its first answer.
    """

    name: str
    setup: str
    form: str
    rows: dict[int, Row] = {}
    why: str = ""
    first: float | None = None


def together(rounds: Sequence[Result]) -> Result:
    """One server's rounds as medians; those in which it could not be had are left out."""
    had = [result for result in rounds if result.rows]
    rows = {c: median([result.rows[c] for result in had]) for c in CONCURRENCIES} if had else {}
    first = statistics.median(firsts) if (firsts := [r.first for r in had if r.first is not None]) else None
    return rounds[0].model_copy(update={"rows": rows, "why": "" if had else rounds[0].why, "first": first})


def table(results: Sequence[Result], bound: Limit | None) -> str:
    """Markdown: a line a server, then ours against the bound and the best of the others."""
    head = "| server | set-up | photos/s at 1 | 8 | 32 | p50/p99 ms at 1 | 8 | 32 | CPU ms a photo at 8 | MB "
    lines = [f"{head}| first answer s |", "|---" * 11 + "|"]
    lines += [_line(result) for result in results]
    if bound:
        setup = f"{len(os.sched_getaffinity(0))} processes of one thread, batches of {bound.batch}"
        lines.append(f"| bound | {setup} | | {bound.rate:.0f} | | | | | {bound.cpu_ms:.1f} | | |")
    return "\n".join([*lines, "", _disturbed(results), "", *_ratios(results, bound)])


def _disturbed(results: Sequence[Result]) -> str:
    """How far the figures can be trusted: whatever else runs takes more from one server than from another."""
    shares = [row.others for result in results for row in result.rows.values()]
    text = f"Other processes took up to {max(shares, default=0):.0%} of the CPUs in the windows kept"
    return f"{text}: compare CPU a photo, not photos/s." if max(shares, default=0) > QUIET else f"{text}."


def _line(result: Result) -> str:
    setup = f"{result.setup}, {result.form}"
    if not result.rows:
        return f"| {result.name} | {setup} | could not be measured: {result.why[:120]!r} |" + " |" * 8
    rows = [result.rows[c] for c in CONCURRENCIES]
    rates = " | ".join(f"{row.rate:.0f}" + (f" ({row.wrong} wrong)" if row.wrong else "") for row in rows)
    times = " | ".join(f"{row.p50:.0f}/{row.p99:.0f}" for row in rows)
    megabytes = max(row.megabytes for row in rows)
    last = f"{megabytes:.0f} | {'' if result.first is None else f'{result.first:.1f}'}"
    return f"| {result.name} | {setup} | {rates} | {times} | {rows[1].cpu_ms:.1f} | {last} |"


def _ratios(results: Sequence[Result], bound: Limit | None) -> Iterator[str]:
    measured = [result for result in results if result.rows]
    ours = next((result for result in measured if result.name == OURS.name), None)
    if ours is None:
        return
    yield "| ours against | at 1 | 8 | 32 |"
    yield "|---|---|---|---|"
    for whom, setup in _AGAINST.items():
        if others := [result for result in measured if result.setup == setup]:
            ratios = " | ".join(_against(ours, others, c) for c in CONCURRENCIES)
            yield f"| {whom} | {ratios} |"
    if peers := [result for result in measured if result.setup in ("documented", "handed")]:
        ratios = " | ".join(_p99(ours, peers, c) for c in CONCURRENCIES)
        yield f"| best p99 of a peer (below 1 is better) | {ratios} |"
    if bound:
        yield f"| bound | | {ours.rows[8].rate / bound.rate:.2f} | {ours.rows[32].rate / bound.rate:.2f} |"
        cpu = [f"{ours.rows[c].cpu_ms / bound.cpu_ms:.2f}" for c in (8, 32)]
        yield f"| bound, CPU a photo (below 1 is better) | | {' | '.join(cpu)} |"


def _against(ours: Result, peers: Sequence[Result], concurrency: int) -> str:
    best = max(peers, key=lambda peer: peer.rows[concurrency].rate)
    return f"{ours.rows[concurrency].rate / best.rows[concurrency].rate:.2f} ({best.name})"


def _p99(ours: Result, peers: Sequence[Result], concurrency: int) -> str:
    best = min(peers, key=lambda peer: peer.rows[concurrency].p99)
    return f"{ours.rows[concurrency].p99 / best.rows[concurrency].p99:.2f} ({best.name}, {best.setup})"
