"""`python -m benchmarks.serving.ablation`: what each piece of the predictor's scheduler brings.

A server as it is and servers that each lack one piece run side by side and are asked in turn. Medians of each
start are kept in the output folder, so that several short runs add up; the table shows all that it has.
"""

from __future__ import annotations

import contextlib
import random
import signal
import sys
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.serving.ablation.pieces import PIECES
from benchmarks.serving.ablation.table import Start, table
from benchmarks.serving.bundle import prepare
from benchmarks.serving.measure import Asking, Row, median
from benchmarks.serving.registry import OURS
from benchmarks.serving.servers import Server, running
from phytoflow.inference.classifier import Classifier
from phytoflow.storage.atomic import atomic_file

_ABLATED = replace(OURS, module="benchmarks.serving.ablation.server")
_CONCURRENCIES = (1, 8, 32)


def main(
    pieces: Annotated[
        list[str] | None, typer.Argument(help="Pieces taken away, each alone (A+B: both); default: all.")
    ] = None,
    starts: Annotated[
        int, typer.Option(min=0, help="How often all are started anew; 0: only the table.")
    ] = 1,
    turns: Annotated[int, typer.Option(min=1, help="Windows of each server, a start.")] = 2,
    seconds: Annotated[float, typer.Option(min=0.5, help="Length of a window.")] = 1.5,
    output: Annotated[Path, typer.Option(help="Bundle, logs and measurements.")] = Path("out/serving"),
    runtime: Annotated[str, typer.Option(help="openvino or onnx.")] = "onnx",
) -> None:
    """Measures, and prints how much faster the predictor is with each piece than without."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # servers are ended on the way out
    names = pieces or list(PIECES)
    if unknown := sorted({part for name in names for part in name.split("+")} - PIECES.keys()):
        raise typer.BadParameter(f"no piece {unknown[0]!r}; there are {', '.join(PIECES)}")
    output = output.resolve()
    folder = output / "ablation" / runtime
    folder.mkdir(parents=True, exist_ok=True)
    bundle, photos = prepare(output, None)
    contents = [photo.content for photo in photos]
    ask = Asking(contents, Classifier.load(bundle, "onnx").predict(contents).probabilities, seconds, 0)
    for _ in range(starts):
        start = _measure(names, turns, ask, runtime, output)
        with atomic_file(folder / f"{uuid.uuid4().hex}.json") as aside:
            aside.write_text(start.model_dump_json())
    print("\n".join(table([Start.model_validate_json(path.read_text()) for path in folder.glob("*.json")])))


def _measure(names: Sequence[str], turns: int, ask: Asking, runtime: str, output: Path) -> Start:
    windows: dict[str, dict[int, list[Row]]] = {}
    with contextlib.ExitStack() as stack:
        order = random.sample(["", *names], len(names) + 1)  # neither start nor place favours one
        up = [(name, stack.enter_context(_server(name, runtime, output))) for name in order]
        for _ in range(turns):
            for name, server in random.sample(up, len(up)):
                for clients in _CONCURRENCIES:
                    row = ask.measured(OURS, server, clients)
                    windows.setdefault(name, {}).setdefault(clients, []).append(row)
    medians = {
        name: {clients: median(rows) for clients, rows in each.items()} for name, each in windows.items()
    }
    return Start(whole=medians.pop(""), without=medians)


@contextlib.contextmanager
def _server(without: str, runtime: str, output: Path) -> Iterator[Server]:
    with running(_ABLATED, runtime, 1, output, [f"--without={without}"]) as server:
        yield server


if __name__ == "__main__":
    typer.run(main)
