"""`python -m benchmarks.quality FOLDER...`: default runs over several seeds, their metrics and duration.

Every run is the `phytoflow run` that a user types, in a folder of its own, until the predictor has answered
over V2; then it is stopped. Each seed has its own grouped split. The line below a folder's row pools the test
photos of all its seeds. Seconds are those of this machine as it was, without a warm-up; the number of CPUs is
printed with them.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.quality.pooled import pool, read_predictions
from phytoflow.errors import GateError
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.results import METRICS_FILE, Metrics
from phytoflow.system.cpu import cpu_count

_EVALUATED = (0, GateError.exit_code)
"""Exit codes of runs that have metrics: done, or rejected by the gate."""
COMMAND = [sys.executable, "-m", "phytoflow.cli"]


@dataclass(frozen=True)
class Result:
    """One run.

    Attributes:
        metrics: Its `metrics.json`.
        predictions: Its predictions for the test photos.
        seconds: How long it took.
    """

    metrics: Metrics
    predictions: PhotoPredictions
    seconds: float


def measure(
    folders: Annotated[list[Path], typer.Argument(help="Class folders of photos.")],
    seeds: Annotated[int, typer.Option(min=1)] = 3,
    settings: Annotated[list[str] | None, typer.Option("--set", help="KEY=VALUE; repeatable.")] = None,
    work: Annotated[Path | None, typer.Option(help="Folder to keep; given again, goes on there.")] = None,
) -> None:
    """Runs, and prints a row for each folder."""
    print(f"{cpu_count()} CPUs; seeds 0 to {seeds - 1}; settings: {', '.join(settings or ['default'])}\n")
    print("| photos | test macro-F1, mean (lowest) | accuracy | ECE | seconds, median |")
    print("|---|---|---|---|---|")
    notes: list[str] = []
    with tempfile.TemporaryDirectory() as aside:
        for folder in folders:
            outputs = [(work or Path(aside)) / f"{folder.name}-{seed}" for seed in range(seeds)]
            results = [_run(folder, seed, settings or [], output) for seed, output in enumerate(outputs)]
            print(row(folder.name, results), flush=True)
            notes += [f"{folder.name}: {pool([result.predictions for result in results])}."]
            notes += ood_notes(folder.name, [result.metrics for result in results])
    print("\n" + "\n".join(notes))


def row(name: str, results: list[Result]) -> str:
    """A row of the Markdown table."""
    metrics = [result.metrics for result in results]
    f1 = [each.macro_f1 for each in metrics]
    accuracy, ece = (statistics.fmean(getattr(each, key) for each in metrics) for key in ("accuracy", "ece"))
    seconds = statistics.median(result.seconds for result in results)
    scores = f"{statistics.fmean(f1):.3f} ({min(f1):.3f}) | {accuracy:.3f} | {ece:.3f}"
    return f"| {name} | {scores} | {seconds:.0f} |"


def ood_notes(name: str, metrics: list[Metrics]) -> list[str]:
    """One line with the OOD metrics of each seed; none if no OOD photos were given."""
    external = [each.ood.external for each in metrics if each.ood and each.ood.external]
    if not external:
        return []
    seeds = (f"{one.auroc:.3f}, {one.fpr95:.3f}, {one.accepted:.3f}" for one in external)
    return [f"{name}, OOD photos, by seed (AUROC, FPR95, share taken for known): {'; '.join(seeds)}."]


def _run(folder: Path, seed: int, settings: list[str], output: Path) -> Result:
    started = time.monotonic()
    options = [word for setting in [f"seed={seed}", *settings] for word in ("--set", setting)]
    command = [*COMMAND, "run", "--data", str(folder), "--output", str(output), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - started
    subprocess.run([*COMMAND, "stop", "--output", str(output)], capture_output=True, check=False)
    file = output / METRICS_FILE
    if done.returncode not in _EVALUATED or not file.exists():
        raise SystemExit(done.stdout[-2000:] + done.stderr[-2000:])
    print(f"{folder.name}, seed {seed}: {seconds:.0f} seconds", file=sys.stderr, flush=True)
    metrics = Metrics.model_validate_json(file.read_text())
    return Result(metrics, read_predictions(output), seconds)


if __name__ == "__main__":
    typer.run(measure)
