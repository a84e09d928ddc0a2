"""Measures what preparing many photos costs, and prints a table.

``python -m benchmarks.data near_duplicates`` searches synthetic rows with planted pairs, each number of rows
in a process of its own. With ``--photos FOLDER`` it searches photos of a folder. Up to ``--compare-up-to``
rows, all pairs of hashes are compared as well, and must be the same as those of the index.

``python -m benchmarks.data steps`` prints seconds and memory of each step from photos to shards, also for a
million photos at the same speed. The photos are small: decoding larger ones takes longer, the other steps do
not. ``--store s3://BUCKET/PREFIX`` copies the photos there and reads them from there.
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

from benchmarks.data.growth import Measured, draw_growth, table_lines
from benchmarks.data.memory import peak_bytes
from benchmarks.data.steps import measure_photos, measure_rows
from benchmarks.data.synthetic_rows import make_rows
from phytoflow.data.ingest.grouping import close_hashes
from phytoflow.data.ingest.grouping.near_duplicates import near_duplicates
from phytoflow.data.ingest.labels import read_labels
from phytoflow.data.ingest.scan import scan
from phytoflow.data.settings import DataSettings

ROWS = (10_000, 50_000, 100_000, 1_000_000)
DEFAULT_SETS = (("photos", 10_000), ("photos", 100_000), ("rows", 100_000), ("rows", 1_000_000))
PLANTED = 100  # every so many rows have one planted pair
BITS = DataSettings().near_duplicate_max_distance
app = typer.Typer(add_completion=False, no_args_is_help=True, help=__doc__)
CompareUpTo = Annotated[int, typer.Option(help="Largest number of rows of which all pairs are compared.")]


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
    seconds, peak = time.perf_counter() - start, peak_bytes() / 1e6
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


@app.command(name="steps")
def measure_steps(
    photos: Annotated[list[int] | None, typer.Option(help="Number of photos; may be repeated.")] = None,
    rows: Annotated[list[int] | None, typer.Option(help="Rows without photos; may be repeated.")] = None,
    store: Annotated[str, typer.Option(help="Where to copy the photos, e.g. s3://bucket/photos.")] = "",
    plot: Annotated[Path | None, typer.Option(help="SVG of how they grow.")] = None,
) -> None:
    """Prints seconds and memory of each step from photos to shards."""
    print("| number | of | step | seconds | peak, MB | seconds a million | MB a million |")
    print("|---:|---|---|" + "---:|" * 4, flush=True)
    given = [("photos", count) for count in photos or ()] + [("rows", count) for count in rows or ()]
    measured: list[Measured] = []
    for kind, count in given or DEFAULT_SETS:
        command = [sys.executable, "-m", "benchmarks.data", "steps-of", kind, str(count), "--store", store]
        output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        new = [Measured.from_json(line) for line in output.splitlines()]
        measured += new
        print(*list(table_lines(measured))[-len(new) :], sep="\n", flush=True)
    if plot:
        draw_growth(measured, plot)


@app.command(name="steps-of", hidden=True)
def measure_steps_of(kind: str, count: int, store: str = "") -> None:
    """Measures one number of photos or rows, in this process."""
    if kind == "rows":
        measure_rows(count)
    else:
        measure_photos(count, store)


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


if __name__ == "__main__":
    app()
