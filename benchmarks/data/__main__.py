"""Measures what preparing many photos costs, and prints a table.

``python -m benchmarks.data near_duplicates`` searches synthetic rows with planted pairs, each number of rows
in a process of its own. With ``--photos FOLDER`` it searches photos of a folder. Up to ``--compare-up-to``
rows, all pairs of hashes are compared as well, and must be the same as those of the index.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from numpy.typing import NDArray

from benchmarks.data.synthetic_rows import make_rows
from phytoflow.data.ingest.grouping import close_hashes
from phytoflow.data.ingest.grouping.near_duplicates import near_duplicates
from phytoflow.data.ingest.labels import read_labels
from phytoflow.data.ingest.scan import scan
from phytoflow.data.settings import DataSettings

ROWS = (10_000, 50_000, 100_000, 1_000_000)
PLANTED = 100  # every so many rows have one planted pair
BITS = DataSettings().near_duplicate_max_distance
app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
CompareUpTo = Annotated[int, typer.Option(help="Largest number of rows of which all pairs are compared.")]


@app.callback()
def select() -> None:
    """Makes typer keep the name of its only command."""


@app.command(name="near_duplicates")
def measure_near_duplicates(
    rows: Annotated[list[int] | None, typer.Option(help="Number of rows; may be repeated.")] = None,
    photos: Annotated[Path | None, typer.Option(help="Folder of photos, instead of synthetic rows.")] = None,
    compare_up_to: CompareUpTo = 50_000,
) -> None:
    """Prints time and memory of the search for near-duplicates."""
    print("| rows | planted | of them found | pairs | seconds | peak, MB | all pairs, seconds | same pairs |")
    print("|---|" + "---:|" * 7)
    sources = [str(photos)] if photos else [str(count) for count in rows or ROWS]
    for source in sources:
        options = [source, "--compare-up-to", str(compare_up_to)]
        subprocess.run([sys.executable, "-m", "benchmarks.data", "one", *options], check=True)


@app.command(name="one", hidden=True)
def measure_one(source: str, compare_up_to: CompareUpTo = 50_000) -> None:
    """Prints the row of one number of rows, or of a folder, in this process."""
    table, planted = _synthetic(int(source)) if source.isdigit() else _scan(Path(source))
    start = time.perf_counter()
    pairs = near_duplicates(table, BITS)
    seconds, peak = time.perf_counter() - start, _peak()
    found = len(np.intersect1d(_numbers(pairs, len(table)), _numbers(planted, len(table))))
    share = f"{found / len(planted):.2%}" if len(planted) else ""
    cells = [
        f"{len(table):,}",
        f"{len(planted):,}",
        share,
        f"{len(pairs):,}",
        f"{seconds:.1f}",
        f"{peak:.0f}",
    ]
    print("|", " | ".join([*cells, *_compare(table, pairs, compare_up_to)]), "|", flush=True)


def _compare(table: pd.DataFrame, pairs: NDArray[np.int64], compare_up_to: int) -> Iterator[str]:
    """Seconds of comparing all pairs of hashes, and whether index and comparison find the same ones."""
    if len(table) > compare_up_to:
        yield from ("", "")
        return
    hashes = np.array([int(text, 16) for text in table["phash"]], np.uint64)
    start = time.perf_counter()
    all_pairs = np.concatenate(list(close_hashes.compare_all(hashes, BITS)))
    yield f"{time.perf_counter() - start:.1f}"
    indexed = np.concatenate(list(close_hashes.search_index(hashes, BITS)))
    expected, numbers = _numbers(all_pairs, len(table)), _numbers(indexed, len(table))
    same = np.array_equal(np.sort(numbers), expected) and bool(
        np.isin(_numbers(pairs, len(table)), expected).all()
    )
    yield "yes" if same else "no"


def _synthetic(rows: int) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    return make_rows(rows, rows // PLANTED, BITS)


def _scan(folder: Path) -> tuple[pd.DataFrame, NDArray[np.int64]]:
    settings = DataSettings()
    table = scan(folder, read_labels(folder, settings), settings)
    return table[table["reason"] == ""].reset_index(drop=True), np.empty((0, 2), np.int64)


def _numbers(pairs: NDArray[np.int64], rows: int) -> NDArray[np.int64]:
    """One number for each pair."""
    return pairs[:, 0] * rows + pairs[:, 1]


def _peak() -> float:
    """Peak resident memory of this process in MB."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    app()
