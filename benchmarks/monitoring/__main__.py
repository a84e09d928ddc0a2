"""`python -m benchmarks.monitoring BUNDLE DATASET OTHERS`: alarms, delays, estimates and cost of the monitor.

BUNDLE and DATASET come from one run of `phytoflow run`: OUTPUT/bundle, and the folder `dataset` of its
preprocess step. OTHERS is a folder of photos that show none of the classes. What the model makes of the
photos is kept in the folder WORK, so that a second call takes seconds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.monitoring import accuracy, cost, delays, false_alarms, windows
from benchmarks.monitoring.outputs import held_out


def measure(
    bundle: Annotated[Path, typer.Argument(help="Folder of a bundle.")],
    dataset: Annotated[Path, typer.Argument(help="Folder of the dataset it was trained on.")],
    others: Annotated[Path, typer.Argument(help="Photos that show none of the classes.")],
    work: Annotated[Path, typer.Option(help="Folder for what is computed once.")] = Path("work"),
    tables: Annotated[str, typer.Option(help="Which tables.")] = "alarms,delays,evidently,accuracy,cost",
    trials: Annotated[int, typer.Option(help="Simulated streams for each row.")] = 200,
    log_rows: Annotated[int, typer.Option(help="Predictions in the log that is re-read; 0: none.")] = 0,
) -> None:
    """Prints the tables."""
    outputs = held_out(bundle, dataset, others, work)
    made = {
        "alarms": lambda: false_alarms.table(outputs.clean, trials),
        "delays": lambda: delays.table(outputs, min(trials, 50)),
        "evidently": lambda: windows.table(outputs, min(trials, 20)),
        "accuracy": lambda: [*accuracy.table(outputs), "", *accuracy.grades(outputs, min(trials, 20))],
        "cost": lambda: cost.table(bundle, outputs, work, log_rows),
    }
    for name in tables.split(","):
        for line in made[name]():
            print(line, flush=True)
        print()


if __name__ == "__main__":
    typer.run(measure)
