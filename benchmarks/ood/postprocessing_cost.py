"""Cost of the post-processing (calibration and OOD score), in numpy and as part of the model file.

Measured as a predictor works: one thread for each CPU, which decodes a batch of photos and runs it. Decoding
evicts the caches in between, so calls that are cheap in a loop of their own are not.
"""

from __future__ import annotations

import json
import math
import multiprocessing
import shutil
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from phytoflow.bundle.bundle import MANIFEST
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.runtimes.base import DERIVED_OUTPUTS
from phytoflow.storage.checksum import file_sha256
from phytoflow.system.cpu import cpu_count
from phytoflow.system.malloc import tune_malloc_for_serving

Call = Callable[[NDArray[np.float32]], object]
_STARTS, _TURNS, _SECONDS, _BATCH = 16, 7, 0.7, 2


def table(bundle: Path, work: Path) -> Iterator[str]:
    """Throughput of both as a share of that of the network alone: a Markdown table.

    Each of several processes loads the models again, in another order: where their weights lie in memory
    makes as much of a difference as what is measured.

    Args:
        bundle: A bundle whose ONNX file includes the post-processing.
        work: Empty folder.
    """
    bare = _without_postprocessing(bundle, work / "bundle")
    orders = [(bare, bundle), (bundle, bare)] * (_STARTS // 2)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        shares = pool.starmap(_shares, [(bare, bundle, order) for order in orders], chunksize=1)
    yield f"| {cpu_count()} threads, batches of {_BATCH}, {len(shares)} starts | share of photos/s |"
    yield "|---|---|"
    for name, values in zip(("in numpy", "in the model file"), zip(*shares, strict=True), strict=True):
        error = statistics.stdev(values) / math.sqrt(len(values))
        yield f"| {name} | {statistics.mean(values):.3f} +- {error:.3f} |"


def _shares(bare: Path, own: Path, order: Sequence[Path]) -> tuple[float, float]:
    """Shares with numpy and with the file's own post-processing, in a new process; medians over turns."""
    tune_malloc_for_serving()
    workers = cpu_count()
    loaded = {folder: Classifier.load(folder, "onnx", 1, concurrency=workers) for folder in order}
    calls: list[Call] = [loaded[bare].outputs, loaded[bare].run, loaded[own].run]
    bundle = loaded[own].bundle
    photos, preprocessing = bundle.probe_contents(), bundle.manifest.preprocessing
    rates: dict[Call, list[float]] = {call: [] for call in calls}
    for turn in range(_TURNS + 1):
        for call in calls[:: 1 if turn % 2 else -1]:
            rate = _photos_per_second(call, photos, preprocessing, workers)
            if turn:  # the first turn is a warm-up
                rates[call].append(rate)
    network, numpy, file = (statistics.median(values) for values in rates.values())
    return numpy / network, file / network


def _without_postprocessing(bundle: Path, copy: Path) -> Path:
    """A copy of the bundle whose ONNX file ends with logits and features."""
    shutil.copytree(bundle, copy)
    manifest = json.loads((copy / MANIFEST).read_text())
    path = copy / manifest["models"]["onnx"]["file"]
    graph = onnx.load(path).graph
    kept = [output.name for output in graph.output if output.name not in DERIVED_OUTPUTS]
    onnx.utils.extract_model(str(path), str(path), [graph.input[0].name], kept)
    manifest["models"]["onnx"]["sha256"] = file_sha256(path)
    (copy / MANIFEST).write_text(json.dumps(manifest))
    return copy


def _photos_per_second(
    call: Call, photos: Sequence[bytes], preprocessing: Preprocessing, workers: int
) -> float:
    """Photos per second of all threads together."""
    counts: list[int] = []

    def work(first: int) -> None:
        count, end = 0, time.perf_counter() + _SECONDS
        while time.perf_counter() < end:
            batch = np.empty((_BATCH, 3, preprocessing.size, preprocessing.size), np.float32)
            for number, tensor in enumerate(batch, first + count):
                preprocessing.normalise(preprocessing.decode(photos[number % len(photos)]), tensor)
            call(batch)
            count += _BATCH
        counts.append(count)

    firsts = [number * len(photos) // workers for number in range(workers)]
    threads = [threading.Thread(target=work, args=(first,)) for first in firsts]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / (time.perf_counter() - start)
