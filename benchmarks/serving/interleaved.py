"""`python -m benchmarks.serving.interleaved SERVER...`: a few servers side by side, asked in turn.

On a machine that others use too, minutes differ by more than servers do; windows that follow each other
within seconds differ less. Where a process finds its memory makes a difference, too, for as long as it runs:
what is to be told of two servers takes several `--starts`. All peers, in all their set-ups, are asked by
`python -m benchmarks.serving`.

A SERVER is `ours`, with options (`"ours --max_batch_size=4"`) or of another checkout (`ours@../before`);
a peer that is handed our runtime (`triton`); `bare`; or `bound`. An idle server costs the one that is asked
nothing.
"""

from __future__ import annotations

import contextlib
import signal
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.serving.bundle import prepare
from benchmarks.serving.commands import ROOT
from benchmarks.serving.comparison import Limits, Side, ratios, table
from benchmarks.serving.measure import TOLERANCE, Asking
from benchmarks.serving.registry import BARE, OURS, PEERS
from benchmarks.serving.servers import Server, running
from benchmarks.serving.upper_bound import bound
from phytoflow.inference.classifier import Classifier
from phytoflow.system.cpu import cpu_count

_BOUND = "bound"


def main(
    servers: Annotated[list[str], typer.Argument(help="Who is compared.")],
    concurrency: Annotated[list[int] | None, typer.Option(min=1, help="Clients; repeatable.")] = None,
    turns: Annotated[int, typer.Option(min=1, help="Windows of each server, a start.")] = 5,
    starts: Annotated[int, typer.Option(min=1, help="How often all are started anew.")] = 1,
    seconds: Annotated[float, typer.Option(min=0.5, help="Length of a window.")] = 1.5,
    output: Annotated[
        Path, typer.Option(help="Bundle (one that you put there is kept), environments and logs.")
    ] = Path("out/serving"),
    photos: Annotated[Path | None, typer.Option(help="Class folders of JPEGs; default: drawn.")] = None,
    runtime: Annotated[str, typer.Option(help="openvino or onnx.")] = "onnx",
    tolerance: Annotated[float, typer.Option(help="How far a probability may be off.")] = TOLERANCE,
) -> None:
    """Measures, and prints medians over all windows, and how the first server compares with the others."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers are ended on the way out
    if not (sides := [_side(text) for text in servers if text != _BOUND]):
        raise typer.BadParameter("name at least one server to compare with the bound")
    output = output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    folder, found = prepare(output, photos)
    contents = [photo.content for photo in found]
    expected = Classifier.load(folder, "onnx").predict(contents).probabilities
    ask, clients = Asking(contents, expected, seconds, 0, tolerance), concurrency or [1, 8, 32]
    limits: list[Limits] = []
    for _ in range(starts):
        limits.append([])
        with contextlib.ExitStack() as stack:
            up = [stack.enter_context(_started(side, runtime, output)) for side in sides]
            for turn in range(turns):
                _ask_all(up if turn % 2 else up[::-1], clients, ask)
                if _BOUND in servers:
                    limits[-1].append(bound(output, runtime, contents, cpu_count(), seconds / 2))
    print("\n".join((*table(sides, clients, limits), *ratios(sides, clients, limits))))


def _side(text: str) -> Side:
    name = text.split()[0].partition("@")[0]
    known = {peer.name.lower(): peer for peer in (BARE, *PEERS)} | {"ours": OURS}
    if name not in known:
        raise typer.BadParameter(f"no server {name!r}; there are {', '.join([*known, _BOUND])}")
    return Side(text, known[name])


@contextlib.contextmanager
def _started(side: Side, runtime: str, output: Path) -> Iterator[tuple[Side, Server]]:
    first, *options = side.text.split()
    _, _, checkout = first.partition("@")
    workers = 1 if side.peer in (BARE, OURS) else cpu_count()
    place = Path(checkout).resolve() if checkout else ROOT
    side.starts.append({})
    with running(side.peer, runtime, workers, output, options, place) as server:
        yield side, server


def _ask_all(sides: Sequence[tuple[Side, Server]], clients: Sequence[int], ask: Asking) -> None:
    for side, server in sides:
        for count in clients:
            side.add(ask.measured(side.peer, server, count))


if __name__ == "__main__":
    typer.run(main)
