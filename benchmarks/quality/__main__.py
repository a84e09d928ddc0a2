"""`python -m benchmarks.quality FOLDER...`: whole default runs over several seeds, and what came out.

Runs are timed as they are: nothing is warmed up first.

Every run is the `phytoflow run` a user types, in a folder of its own, predictor asked over V2 and stopped.
Training seconds are those of this machine as it was; the CPUs are printed with them.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

from phytoflow.inference.cpus import cpu_count

COMMAND = [sys.executable, "-m", "phytoflow.cli"]


def measure(
    folders: Annotated[list[Path], typer.Argument(help="Class folders of photos.")],
    seeds: Annotated[int, typer.Option(min=1)] = 3,
    settings: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE; repeatable.")] = None,
) -> None:
    """Runs and prints."""
    print(f"{cpu_count()} CPUs; seeds 0 to {seeds - 1}; settings: {', '.join(settings or ['default'])}\n")
    print("| photos | test macro-F1, mean (least) | accuracy | ECE | seconds, median |")
    print("|---|---|---|---|---|")
    for folder in folders:
        runs = [_run(folder, seed, settings or []) for seed in range(seeds)]
        f1 = [run["macro_f1"] for run in runs]
        means = {key: statistics.fmean(run[key] for run in runs) for key in ("accuracy", "ece")}
        seconds = statistics.median(run["seconds"] for run in runs)
        row = f"{statistics.fmean(f1):.3f} ({min(f1):.3f}) | {means['accuracy']:.3f} | {means['ece']:.3f}"
        print(f"| {folder.name} | {row} | {seconds:.0f} |", flush=True)


def _run(folder: Path, seed: int, settings: list[str]) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as output:
        started = time.monotonic()
        options = [word for setting in [f"seed={seed}", *settings] for word in ("--set", setting)]
        command = [*COMMAND, "run", "--data", str(folder), "--output", output, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        seconds = time.monotonic() - started
        subprocess.run([*COMMAND, "stop", "--output", output], capture_output=True, check=False)
        metrics = Path(output) / "metrics.json"
        if not metrics.exists():
            raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
        return json.loads(metrics.read_text()) | {"seconds": seconds}


if __name__ == "__main__":
    typer.run(measure)
