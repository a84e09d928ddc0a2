"""`python -m benchmarks.quality FOLDER...`: whole default runs over several seeds, and what came out.

Every run is the `phytoflow run` a user types, in a folder of its own, predictor asked over V2 and stopped.
Each seed has its own grouped split; beneath a folder's row stands what all their test photos say together.
Seconds are those of this machine as it was, with nothing warmed up first; the CPUs are printed with them.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from benchmarks.quality.pooled import read, together
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.system.cpu import cpu_count

_MEASURED = (0, 10)
"""Exit codes of a run that left its figures: done, or refused by the gate."""
COMMAND = [sys.executable, "-m", "phytoflow.cli"]


@dataclass(frozen=True)
class Run:
    """What `metrics.json` holds, with its seconds; and what was said of each test photo."""

    figures: dict[str, Any]
    predictions: PhotoPredictions


def measure(
    folders: Annotated[list[Path], typer.Argument(help="Class folders of photos.")],
    seeds: Annotated[int, typer.Option(min=1)] = 3,
    settings: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE; repeatable.")] = None,
    work: Annotated[Path | None, typer.Option(help="Folder to keep; given again, goes on there.")] = None,
) -> None:
    """Runs and prints."""
    print(f"{cpu_count()} CPUs; seeds 0 to {seeds - 1}; settings: {', '.join(settings or ['default'])}\n")
    print("| photos | test macro-F1, mean (least) | accuracy | ECE | seconds, median |")
    print("|---|---|---|---|---|")
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as aside:
        for folder in folders:
            places = [(work or Path(aside)) / f"{folder.name}-{seed}" for seed in range(seeds)]
            runs = [_run(folder, seed, settings or [], place) for seed, place in enumerate(places)]
            print(_row(folder.name, [run.figures for run in runs]), flush=True)
            notes += [f"{folder.name}: {together([run.predictions for run in runs])}."]
            notes += _strangers(folder.name, [run.figures["ood"] for run in runs])
    print("\n" + "\n".join(notes))


def _row(name: str, runs: list[dict[str, Any]]) -> str:
    f1 = [run["macro_f1"] for run in runs]
    accuracy, ece = (statistics.fmean(run[key] for run in runs) for key in ("accuracy", "ece"))
    seconds = statistics.median(run["seconds"] for run in runs)
    scores = f"{statistics.fmean(f1):.3f} ({min(f1):.3f}) | {accuracy:.3f} | {ece:.3f}"
    return f"| {name} | {scores} | {seconds:.0f} |"


def _strangers(name: str, open_sets: list[dict[str, Any] | None]) -> list[str]:
    of = [found["external"] for found in open_sets if found and found["external"]]
    if not of:
        return []
    seeds = (f"{one['auroc']:.3f}, {one['fpr95']:.3f}, {one['accepted']:.3f}" for one in of)
    return [f"{name}, strangers, a seed each (AUROC, FPR95, share let in): {'; '.join(seeds)}."]


def _run(folder: Path, seed: int, settings: list[str], output: Path) -> Run:
    started = time.monotonic()
    options = [word for setting in [f"seed={seed}", *settings] for word in ("--set", setting)]
    command = [*COMMAND, "run", "--data", str(folder), "--output", str(output), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    subprocess.run([*COMMAND, "stop", "--output", str(output)], capture_output=True, check=False)
    metrics = output / "metrics.json"
    if done.returncode not in _MEASURED or not metrics.exists():
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    print(f"{folder.name}, seed {seed}: {seconds:.0f} seconds", file=sys.stderr, flush=True)
    return Run(json.loads(metrics.read_text()) | {"seconds": seconds}, read(output))


if __name__ == "__main__":
    typer.run(measure)
