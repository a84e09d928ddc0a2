"""What answers cost beyond the network: by the formulas in numpy, and as part of the model file.

As a predictor's lanes work: a thread a CPU, each of which decodes a batch of photos and runs it. Photos go
through the caches in between, so calls that are cheap in a loop of their own are not.
"""

from __future__ import annotations

import json
import shutil
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from phytoflow.data.preprocessing import Preprocessing
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.cpus import cpu_count
from phytoflow.inference.runtime import ANSWERS
from phytoflow.models.bundle import MANIFEST, file_sha256

Call = Callable[[NDArray[np.float32]], object]
_TURNS, _SECONDS, _BATCH = 15, 1.0, 2


def table(bundle: Path, work: Path) -> Iterator[str]:
    """Photos a second three ways, medians over turns: Markdown.

    Args:
        bundle: One whose ONNX file answers by itself.
        work: Empty folder.
    """
    lanes = cpu_count()
    own = Classifier.load(bundle, "onnx", 1, lanes=lanes)
    bare = Classifier.load(_without_answers(bundle, work / "bundle"), "onnx", 1, lanes=lanes)
    photos, preprocessing = own.bundle.probe_contents(), own.bundle.manifest.preprocessing
    calls: dict[str, Call] = {
        "the network alone": bare.outputs,
        "and numpy's answers": bare.run,
        "answers in the file": own.run,
    }
    rates: dict[str, list[float]] = {name: [] for name in calls}
    for turn in range(_TURNS + 1):
        for name in list(calls)[:: 1 if turn % 2 else -1]:
            rate = _rate(calls[name], photos, preprocessing, lanes)
            if turn:  # the first warms
                rates[name].append(rate)
    yield f"| {lanes} threads, batches of {_BATCH} | photos/s | of the network alone |"
    yield "|---|---|---|"
    for name, found in rates.items():
        share = statistics.median(a / b for a, b in zip(found, rates["the network alone"], strict=True))
        yield f"| {name} | {statistics.median(found):.1f} | {share:.3f} |"


def _without_answers(bundle: Path, copy: Path) -> Path:
    shutil.copytree(bundle, copy)
    manifest = json.loads((copy / MANIFEST).read_text())
    path = copy / manifest["models"]["onnx"]["file"]
    graph = onnx.load(path).graph
    kept = [output.name for output in graph.output if output.name not in ANSWERS]
    onnx.utils.extract_model(str(path), str(path), [graph.input[0].name], kept)
    manifest["models"]["onnx"]["sha256"] = file_sha256(path)
    (copy / MANIFEST).write_text(json.dumps(manifest))
    return copy


def _rate(call: Call, photos: Sequence[bytes], preprocessing: Preprocessing, lanes: int) -> float:
    """Photos a second of all threads."""
    done: list[int] = []

    def lane(first: int) -> None:
        count, end = 0, time.perf_counter() + _SECONDS
        while time.perf_counter() < end:
            batch = np.empty((_BATCH, 3, preprocessing.size, preprocessing.size), np.float32)
            for number, tensor in enumerate(batch, first + count):
                preprocessing.normalise(preprocessing.decode(photos[number % len(photos)]), tensor)
            call(batch)
            count += _BATCH
        done.append(count)

    threads = [
        threading.Thread(target=lane, args=(number * len(photos) // lanes,)) for number in range(lanes)
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(done) / (time.perf_counter() - start)
