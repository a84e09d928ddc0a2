"""The rounds as one table, with what they come to."""

from __future__ import annotations

import math
import os
import statistics
from collections.abc import Iterator, Sequence

from benchmarks.serving.measure import QUIET
from benchmarks.serving.registry import OURS
from benchmarks.serving.results import CONCURRENCIES, LOADED, Bound, Result, spread, together, windows_of_ours
from benchmarks.serving.upper_bound import Limit, best

_AGAINST = {
    "best documented peer": "documented",
    "best handed peer": "handed",
    "bare loop in one process": "one process",
}
_Rounds = Sequence[Result]  # of one server


def table(servers: Sequence[_Rounds], bounds: Sequence[Bound]) -> str:
    """Markdown: a line a server, then ours against the bound and the best of the others.

    Args:
        servers: Rounds of each.
        bounds: Of each round.
    """
    head = "| server | set-up | photos/s at 1 | 8 | 32 | p50/p99 ms at 1 | 8 | 32 | CPU ms a photo at 8 | MB "
    lines = [f"{head}| first answer s |", "|---" * 11 + "|"]
    ours = {"rows": windows_of_ours(servers, bounds)}
    results = [together(rounds) for rounds in servers]
    results = [each.model_copy(update=ours) if each.name == OURS.name else each for each in results]
    lines += [_line(result) for result in results]
    if limit := best([bound.limits for bound in bounds]):
        setup = f"{len(os.sched_getaffinity(0))} processes of one thread, batches of {limit.batch}"
        lines.append(f"| bound | {setup} | | {limit.rate:.0f} | | | | | {limit.cpu_ms:.1f} | | |")
    return "\n".join([*lines, "", _disturbed(results), "", *_ratios(servers, bounds, limit)])


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


def _ratios(servers: Sequence[_Rounds], bounds: Sequence[Bound], limit: Limit | None) -> Iterator[str]:
    """Of windows side by side: medians over the rounds, the least and the most."""
    measured = [had for rounds in servers if (had := [result for result in rounds if result.ours])]
    yield "| ours against | at 1 | 8 | 32 |"
    yield "|---|---|---|---|"
    for whom, setup in _AGAINST.items():
        if others := [rounds for rounds in measured if rounds[0].setup == setup]:
            yield f"| {whom} | {' | '.join(_least(others, c) for c in CONCURRENCIES)} |"
    if peers := [rounds for rounds in measured if rounds[0].setup in ("documented", "handed")]:
        cells = " | ".join(_p99(peers, c) for c in CONCURRENCIES)
        yield f"| best p99 of a peer (below 1 is better) | {cells} |"
    if limit:
        of = [(bound.ours, each) for bound in bounds for each in bound.limits if each.batch == limit.batch]
        rates = (spread([ours[c].rate / one.rate for ours, one in of]) for c in LOADED)
        yield f"| bound | | {' | '.join(rates)} |"
        cpu = (spread([ours[c].cpu_ms / one.cpu_ms for ours, one in of]) for c in LOADED)
        yield f"| bound, CPU a photo (below 1 is better) | | {' | '.join(cpu)} |"


def _least(servers: Sequence[_Rounds], concurrency: int) -> str:
    """Ours by the one that comes nearest to it."""
    found = (_ratios_of(rounds, concurrency, "rate") for rounds in servers)
    ratios, first = min(found, key=lambda each: statistics.median(each[0]))
    return f"{first.name}: {spread(ratios)}"


def _p99(servers: Sequence[_Rounds], concurrency: int) -> str:
    found = (_ratios_of(rounds, concurrency, "p99") for rounds in servers)
    ratios, first = max(found, key=lambda each: statistics.median(each[0]))
    return f"{first.name}, {first.setup}: {spread(ratios)}"


def _ratios_of(rounds: _Rounds, concurrency: int, of: str) -> tuple[list[float], Result]:
    pairs = [(getattr(each.ours[concurrency], of), getattr(each.rows[concurrency], of)) for each in rounds]
    return [ours / theirs if theirs else math.inf for ours, theirs in pairs], rounds[0]
