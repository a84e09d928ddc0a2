"""Seconds and memory of each step from photos to shards, and of the steps that see rows alone."""

from __future__ import annotations

import gc
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from benchmarks.data.growth import Measured
from benchmarks.data.memory import peak_bytes, reset_peak
from benchmarks.data.synthetic_photos import make_photos
from benchmarks.data.synthetic_rows import make_table
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.ingest.inspect import check_table
from phytoflow.data.ingest.labels import Labels, read_labels
from phytoflow.data.parts.cut import Survey
from phytoflow.data.parts.scan import merge_parts, scan_in_parts
from phytoflow.data.parts.table import PartInfo, write_part
from phytoflow.data.photo_writer import write_photos
from phytoflow.data.prepare import summarise, write_findings
from phytoflow.data.settings import DataSettings
from phytoflow.storage.uri import join, put_file
from phytoflow.system.threads import thread_map

_T = TypeVar("_T")
_PREPROCESSING = Preprocessing(size=56)  # photos of 96 x 72 are resized for it
_SETTINGS = DataSettings(parts=16)


@dataclass
class Steps:
    """Measures steps one after the other, and prints each as a line of JSON.

    Attributes:
        kind: ``photos`` or ``rows``.
        count: How many.
    """

    kind: str
    count: int

    def measure(self, name: str, step: Callable[..., _T], *given: Any) -> _T:
        """Runs one step; its peak includes what the steps before it keep."""
        gc.collect()
        reset_peak()
        start = time.perf_counter()
        result = step(*given)
        seconds = time.perf_counter() - start
        print(Measured(self.kind, self.count, name, seconds, peak_bytes()).to_json(), flush=True)
        return result


def measure_photos(count: int, store: str) -> None:
    """Measures the steps of a folder of so many small photos or, with ``store``, of a copy of it there."""
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        make_photos(folder / "photos", count)
        if store:
            _upload(folder / "photos", store)
        root: Path | str = store or folder / "photos"
        steps = Steps("photos", count)
        steps.measure("list", Survey.of, root)
        labels = steps.measure("labels", read_labels, root, _SETTINGS)
        scan_in_parts_of(steps, root, labels, folder / "parts")
        table = steps.measure("merge", merge_parts, sorted((folder / "parts").iterdir()), root)
        checked = steps.measure("check and split", check_table, table, labels, root, _SETTINGS, 0)
        del table
        summary = summarise(checked.table, _PREPROCESSING, 0, "photos")
        steps.measure("table and page", write_findings, checked, 0, _SETTINGS, folder)
        steps.measure("shards", write_photos, checked.table, summary, _SETTINGS, folder)


def scan_in_parts_of(steps: Steps, root: Path | str, labels: Labels, parts: Path) -> None:
    """Measures the scan, whose result is on the disk."""

    def scan() -> None:
        scan_in_parts(root, labels, _SETTINGS, "measured", parts)

    steps.measure("scan, 16 parts", scan)


def measure_rows(count: int) -> None:
    """Measures the steps that need no photo, on synthetic rows."""
    with tempfile.TemporaryDirectory() as work:
        table = make_table(count, _SETTINGS.near_duplicate_max_distance)
        labels = Labels(sorted(table["label"].unique()), set(), count, (), lambda _: None)  # type: ignore[arg-type, return-value]
        size = -(-count // _SETTINGS.parts)
        pieces = [table[start : start + size] for start in range(0, count, size)]
        del table
        steps = Steps("rows", count)
        files = steps.measure("write parts", _write, pieces, Path(work))
        del pieces
        merged = steps.measure("merge", merge_parts, files, "/photos")
        checked = steps.measure("check and split", check_table, merged, labels, "/photos", _SETTINGS, 0)
        assert len(checked.table) == count


def _write(pieces: list[Any], folder: Path) -> list[Path]:
    files = []
    for number, piece in enumerate(pieces):
        info = PartInfo(number=number, parts=len(pieces), survey="", version="")
        files.append(folder / f"{number:05d}.parquet")
        write_part(files[-1], piece, info, "/photos")
    return files


def _upload(folder: Path, store: str) -> None:
    def put(file: Path) -> None:
        put_file(file, join(store, file.relative_to(folder).as_posix()))

    for _ in thread_map(put, sorted(folder.rglob("*.jpg")), threads=16):
        pass
