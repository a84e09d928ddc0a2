"""`python -m benchmarks.serving.turns SERVER...`: a few servers side by side, asked in turn.

On a machine that others use too, minutes differ by more than servers do; windows that follow each other
within seconds differ less. This compares options and checkouts of the predictor; who is better than its peers
is what `python -m benchmarks.serving` says.

A SERVER is `ours`, with options (`"ours --max_batch=4"`), perhaps of another checkout (`ours@../before`); a
peer that is handed our runtime (`triton`); `bare`; or `bound`. An idle server costs the one that is asked
nothing.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.serving.bound import Limit, best, bound
from benchmarks.serving.bundle import prepare
from benchmarks.serving.catalogue import BARE, OURS, PEERS, Peer
from benchmarks.serving.measure import TOLERANCE, Asking, Row, median
from benchmarks.serving.servers import ROOT, Server, running
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.cpus import cpu_count

_BOUND = "bound"


@dataclass
class Side:
    """One of those compared, and what was measured so far, by concurrency."""

    text: str
    peer: Peer
    server: Server
    rows: dict[int, list[Row]] = field(default_factory=dict)


def main(
    servers: Annotated[list[str], typer.Argument(help="Who is compared.")],
    concurrency: Annotated[list[int] | None, typer.Option(min=1, help="Clients; repeatable.")] = None,
    turns: Annotated[int, typer.Option(min=1)] = 5,
    seconds: Annotated[float, typer.Option(min=0.5, help="Length of a window.")] = 1.5,
    output: Annotated[
        Path, typer.Option(help="Bundle (one that you put there is kept), environments and logs.")
    ] = Path("out/serving"),
    photos: Annotated[Path | None, typer.Option(help="Class folders of JPEGs; default: drawn.")] = None,
    runtime: Annotated[str, typer.Option(help="openvino or onnx.")] = "onnx",
    tolerance: Annotated[float, typer.Option(help="How far a probability may be off.")] = TOLERANCE,
) -> None:
    """Measures, and prints medians over the turns."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers are ended on the way out
    output = output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    folder, found = prepare(output, photos)
    contents = [photo.content for photo in found]
    expected = Classifier.load(folder, "onnx").predict(contents).probabilities
    ask, limits = Asking(contents, expected, seconds, 0, tolerance), []
    clients = concurrency or [1, 8, 32]
    with contextlib.ExitStack() as stack:
        texts = [text for text in servers if text != _BOUND]
        sides = [stack.enter_context(_side(text, runtime, output)) for text in texts]
        for turn in range(turns):
            _ask_all(sides if turn % 2 else sides[::-1], clients, ask)
            if _BOUND in servers:
                limits.append(bound(output, runtime, contents, cpu_count(), seconds / 2))
    print("\n".join(_table(sides, clients, limits)))


@contextlib.contextmanager
def _side(text: str, runtime: str, output: Path) -> Iterator[Side]:
    name, *options = text.split()
    name, _, checkout = name.partition("@")
    known = {peer.name.lower(): peer for peer in (BARE, *PEERS)} | {"ours": OURS}
    if name not in known:
        raise typer.BadParameter(f"no server {name!r}; there are {', '.join([*known, _BOUND])}")
    workers = 1 if known[name] in (BARE, OURS) else cpu_count()
    place = Path(checkout).resolve() if checkout else ROOT
    with running(known[name], runtime, workers, output, options, place) as server:
        yield Side(text, known[name], server)


def _ask_all(sides: Sequence[Side], clients: Sequence[int], ask: Asking) -> None:
    for side in sides:
        for count in clients:
            side.rows.setdefault(count, []).append(ask.measured(side.peer, side.server, count))


def _table(sides: Sequence[Side], clients: Sequence[int], limits: Sequence[Sequence[Limit]]) -> Iterator[str]:
    yield f"| | {' | '.join(f'photos/s at {c} | p99 ms | CPU ms | wrong' for c in clients)} |"
    yield "|---" * (1 + 4 * len(clients)) + "|"
    for side in sides:
        middle = [median(side.rows[c]) for c in clients]
        cells = (f"{row.rate:.0f} | {row.p99:.0f} | {row.cpu_ms:.1f} | {row.wrong}" for row in middle)
        yield f"| {side.text} | {' | '.join(cells)} |"
    if limit := best(limits):
        size, cpu = limit.batch, limit.cpu_ms
        yield f"\nbound: {limit.rate:.0f} photos/s in batches of {size}, {cpu:.1f} ms of CPU a photo"


if __name__ == "__main__":
    typer.run(main)
