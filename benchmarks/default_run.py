"""`python -m benchmarks.default_run OTHER [--data FOLDER]`: is a default run slower than in another checkout?

Runs of both checkouts take turns, and the order turns with each pair, so that a machine that gets slower
slows both. Both use this environment's libraries.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

ROOT = Path(__file__).parents[1]
NAMES = ("this checkout", "the other")


def main(
    other: Annotated[Path, typer.Argument(help="Another checkout, for instance a worktree.")],
    data: Annotated[Path | None, typer.Option(help="Folder of photos; else leaves are drawn.")] = None,
    pairs: Annotated[int, typer.Option(min=1, help="Runs of each.")] = 3,
) -> None:
    """Prints the wall-clock seconds of each pair of runs, and the median of their ratios."""
    print("| pair | this checkout, s | the other, s | ratio |\n|---:|---:|---:|---:|", flush=True)
    ratios = []
    for pair in range(pairs):
        checkouts = dict(zip(NAMES, (ROOT, other.resolve()), strict=True))
        order = NAMES if pair % 2 else NAMES[::-1]
        seconds = {name: run(checkouts[name], data) for name in order}
        ours, theirs = (seconds[name] for name in NAMES)
        ratios.append(ours / theirs)
        print(f"| {pair + 1} | {ours:.1f} | {theirs:.1f} | {ratios[-1]:.3f} |", flush=True)
    print(f"\nmedian ratio {statistics.median(ratios):.3f}")


def run(checkout: Path, data: Path | None) -> float:
    """Seconds of `phytoflow run` with the code of a checkout; its predictor is stopped afterwards."""
    environment = os.environ | {"PYTHONPATH": str(checkout)}
    phytoflow = [sys.executable, "-m", "phytoflow.cli"]
    source = ["--data", str(data.resolve())] if data else []
    with tempfile.TemporaryDirectory() as output:
        place = ["--output", f"{output}/out"]
        began = time.monotonic()
        subprocess.run(
            [*phytoflow, "run", *source, *place],
            check=True, cwd=checkout, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        seconds = time.monotonic() - began
        subprocess.run([*phytoflow, "stop", *place], check=True, cwd=checkout, env=environment)
    return seconds


if __name__ == "__main__":
    typer.run(main)
