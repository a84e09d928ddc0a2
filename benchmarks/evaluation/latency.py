"""`python -m benchmarks.evaluation.latency BUNDLE`: how a busy machine changes the latency of a bundle.

Times the bundle on its own probe photos, with the machine as it is and together with busy loops. The table
shows wall-clock times and the CPU time that the gate judges.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from phytoflow.evaluation.metrics.latency import Latency, measure_latency
from phytoflow.inference.classifier import Classifier


@contextmanager
def busy_loops(count: int) -> Iterator[None]:
    """Runs processes that compute without pause until the block ends."""
    spawn = multiprocessing.get_context("spawn")
    started = spawn.Barrier(count + 1)
    loops = [spawn.Process(target=_compute, args=(started,), daemon=True) for _ in range(count)]
    for loop in loops:
        loop.start()
    try:
        if count:
            started.wait()
        yield
    finally:
        for loop in loops:
            loop.kill()
            loop.join()


def table(rows: dict[str, Latency]) -> list[str]:
    """The measurements as Markdown."""
    lines = ["| machine | wall-clock mean | median | CPU time on one thread |", "|---|---|---|---|"]
    for name, row in rows.items():
        cpu = "-" if row.cpu is None else f"{row.cpu:.1f} ms"
        lines.append(f"| {name} | {row.mean:.1f} ms | {row.median:.1f} ms | {cpu} |")
    return lines


def main(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    photos: Annotated[int, typer.Option(help="Photos timed.")] = 50,
    loops: Annotated[int, typer.Option(help="Number of busy loops.")] = 2,
) -> None:
    """Print the latency of a bundle on the machine as it is and together with busy loops."""
    classifier = Classifier.load(bundle)
    probes = classifier.bundle.probe_contents()
    contents = [probes[number % len(probes)] for number in range(photos)]
    rows = {"as it is": measure_latency(classifier, contents)}
    with busy_loops(loops):
        rows[f"{loops} busy loops"] = measure_latency(classifier, contents)
    typer.echo("\n".join(table(rows)))


def _compute(started: multiprocessing.synchronize.Barrier) -> None:
    started.wait()
    while True:
        pass


if __name__ == "__main__":
    typer.run(main)
