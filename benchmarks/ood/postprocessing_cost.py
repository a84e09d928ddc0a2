"""What answers cost beyond the network: by the formulas in numpy, and as part of the model file.

As a predictor's threads work: a thread a CPU, each of which decodes a batch of photos and runs it. Photos go
through the caches in between, so calls that are cheap in a loop of their own are not.
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
from phytoflow.inference.runtimes.base import ANSWERS
from phytoflow.storage.checksum import file_sha256
from phytoflow.system.cpu import cpu_count
from phytoflow.system.malloc import tune_malloc_for_serving

Call = Callable[[NDArray[np.float32]], object]
_STARTS, _TURNS, _SECONDS, _BATCH = 16, 7, 0.7, 2


def table(bundle: Path, work: Path) -> Iterator[str]:
    """Photos a second of two ways to answer, as shares of those of the network alone: Markdown.

    Each of several processes loads the models anew, in another order: where their weights come to lie in
    memory makes as much of a difference as what is measured.

    Args:
        bundle: One whose ONNX file answers by itself.
        work: Empty folder.
    """
    bare = _without_answers(bundle, work / "bundle")
    folders = [(bare, bundle), (bundle, bare)] * (_STARTS // 2)
    with multiprocessing.get_context("spawn").Pool(1, maxtasksperchild=1) as pool:
        found = pool.starmap(_shares, [(bare, bundle, order) for order in folders], chunksize=1)
    yield f"| {cpu_count()} threads, batches of {_BATCH}, {len(found)} starts | share of photos/s |"
    yield "|---|---|"
    for name, shares in zip(("numpy answers", "the file answers"), zip(*found, strict=True), strict=True):
        error = statistics.stdev(shares) / math.sqrt(len(shares))
        yield f"| {name} | {statistics.mean(shares):.3f} +- {error:.3f} |"


def _shares(bare: Path, own: Path, order: Sequence[Path]) -> tuple[float, float]:
    """In a process of its own: the share of numpy's answers, and of the file's; medians over turns."""
    tune_malloc_for_serving()
    threads = cpu_count()
    loaded = {folder: Classifier.load(folder, "onnx", 1, concurrency=threads) for folder in order}
    calls: list[Call] = [loaded[bare].outputs, loaded[bare].run, loaded[own].run]
    bundle = loaded[own].bundle
    photos, preprocessing = bundle.probe_contents(), bundle.manifest.preprocessing
    rates: dict[Call, list[float]] = {call: [] for call in calls}
    for turn in range(_TURNS + 1):
        for call in calls[:: 1 if turn % 2 else -1]:
            rate = _rate(call, photos, preprocessing, threads)
            if turn:  # the first warms
                rates[call].append(rate)
    alone, numpy, file = (statistics.median(found) for found in rates.values())
    return numpy / alone, file / alone


def _without_answers(bundle: Path, copy: Path) -> Path:
    """The bundle with an ONNX file that ends with what answers are made of."""
    shutil.copytree(bundle, copy)
    manifest = json.loads((copy / MANIFEST).read_text())
    path = copy / manifest["models"]["onnx"]["file"]
    graph = onnx.load(path).graph
    kept = [output.name for output in graph.output if output.name not in ANSWERS]
    onnx.utils.extract_model(str(path), str(path), [graph.input[0].name], kept)
    manifest["models"]["onnx"]["sha256"] = file_sha256(path)
    (copy / MANIFEST).write_text(json.dumps(manifest))
    return copy


def _rate(call: Call, photos: Sequence[bytes], preprocessing: Preprocessing, threads: int) -> float:
    """Photos a second of all threads."""
    done: list[int] = []

    def thread(first: int) -> None:
        count, end = 0, time.perf_counter() + _SECONDS
        while time.perf_counter() < end:
            batch = np.empty((_BATCH, 3, preprocessing.size, preprocessing.size), np.float32)
            for number, tensor in enumerate(batch, first + count):
                preprocessing.normalise(preprocessing.decode(photos[number % len(photos)]), tensor)
            call(batch)
            count += _BATCH
        done.append(count)

    threads = [
        threading.Thread(target=thread, args=(number * len(photos) // threads,)) for number in range(threads)
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - start)
