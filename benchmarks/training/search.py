"""`python -m benchmarks.training.search FOLDER...`: what `phytoflow tune` finds, and how long it takes.

Each folder of photos is searched once by the command, in a process of its own. The figures are those of the
comparison on test photos that no trial saw.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Annotated

import typer

HEADER = "| photos | minutes | trials and test photos |\n|---|---:|---|"


def main(
    folders: Annotated[list[Path], typer.Argument(help="Class folders of photos.")],
    preset: Annotated[str, typer.Option(help="quick or full.")] = "quick",
    seconds: Annotated[float, typer.Option(help="Budget of a search; 0: the preset's.")] = 0,
) -> None:
    """Prints a row for each folder."""
    print(HEADER, flush=True)
    for folder in folders:
        with tempfile.TemporaryDirectory() as name:
            command = tune_command(folder, Path(name), preset, seconds)
            start = time.perf_counter()
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        print(row(folder.name, time.perf_counter() - start, done.stdout), flush=True)


def tune_command(folder: Path, output: Path, preset: str, seconds: float) -> list[str]:
    """The command of one search."""
    command = [sys.executable, "-m", "phytoflow.cli", "tune", "--data", str(folder)]
    command += ["--output", str(output / "search"), "--preset", preset]
    return command + (["--seconds", f"{seconds:g}"] if seconds else [])


def row(name: str, seconds: float, printed: str) -> str:
    """A row of the table; the last line that a search prints says where its files are."""
    return f"| {name} | {seconds / 60:.1f} | {'; '.join(printed.splitlines()[:-1])} |"


if __name__ == "__main__":
    typer.run(main)
