"""How long the exported model takes for one photo, from its encoded bytes to its probabilities.

Wall-clock time depends on what else the machine does: with two busy loops on two CPUs the same model took six
times as long. The gate therefore judges CPU time on one thread, which differed by less than a tenth
(`python -m benchmarks.evaluation.latency`). Wall-clock times are reported as well.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from phytoflow.inference.classifier import Classifier
from phytoflow.inference.runtimes.base import CPU

_WARM_UP = 3  # the first calls allocate memory and fill caches


@dataclass(frozen=True)
class Latency:
    """Milliseconds a photo, one at a time, decoding included.

    Attributes:
        mean: Mean wall-clock time with all CPUs of this process.
        median: Median wall-clock time.
        p95: 95th percentile of the wall-clock time.
        cpu: Median CPU time on one thread, i.e. the time a photo takes on a CPU core of its own. None if the
            model runs on a GPU: the CPU only waits for it then.
    """

    mean: float
    median: float
    p95: float
    cpu: float | None


def measure_latency(classifier: Classifier, contents: Sequence[bytes]) -> Latency:
    """Times a bundle on encoded photos, one at a time.

    Args:
        classifier: The opened bundle.
        contents: At least one readable photo.
    """
    wall = _time_calls(classifier, contents, time.perf_counter)
    return Latency(
        mean=float(np.mean(wall)),
        median=float(np.median(wall)),
        p95=float(np.quantile(wall, 0.95)),
        cpu=_cpu_time(classifier, contents) if classifier.choice.device == CPU else None,
    )


def _cpu_time(classifier: Classifier, contents: Sequence[bytes]) -> float:
    """Median CPU milliseconds on one thread; more threads would add the cost of waiting for each other."""
    choice = classifier.choice
    single = Classifier.load(classifier.bundle.path, choice.name, threads=1, precision=choice.precision)
    # process_time counts every thread of the process, also those that a runtime starts.
    return float(np.median(_time_calls(single, contents, time.process_time)))


def _time_calls(classifier: Classifier, contents: Sequence[bytes], clock: Callable[[], float]) -> list[float]:
    for content in contents[:_WARM_UP]:
        classifier.predict([content])
    return [_milliseconds(classifier, content, clock) for content in contents]


def _milliseconds(classifier: Classifier, content: bytes, clock: Callable[[], float]) -> float:
    started = clock()
    classifier.predict([content])
    return (clock() - started) * 1000
