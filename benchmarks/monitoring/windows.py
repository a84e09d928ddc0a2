"""Evidently's defaults on the same streams, one window of photos after the other.

Evidently compares two tables, so how many photos to wait for is up to its user: here 50. Its tests have
thresholds of their own and know nothing of windows before.
"""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Iterator

import numpy as np
import pandas as pd

from benchmarks.monitoring.delays import stream_names, stream_of
from benchmarks.monitoring.false_alarms import split_groups
from benchmarks.monitoring.outputs import HeldOut
from phytoflow.monitoring.evidently_report import check_evidently, to_frame
from phytoflow.monitoring.observations import Observations

WINDOW = 50  # photos

Detector = Callable[[Observations, Observations], bool]
"""Whether photos (second) differ from reference photos (first)."""


def table(held_out: HeldOut, trials: int) -> Iterator[str]:
    """Photos until the alarm, and false alarms: a Markdown table.

    Raises:
        ConfigError: Evidently is not installed.
    """
    check_evidently()
    warnings.simplefilter("ignore")  # of small samples, thousands of times
    detectors = {"Dataset drift": dataset_drift, "Embeddings drift": embeddings_drift}
    yield "| Stream | " + " | ".join(f"{name}, median | Alarms" for name in detectors) + " |"
    yield "|---" * (1 + 2 * len(detectors)) + "|"
    for name in ("like the reference", *stream_names(held_out)):
        cells = [_cells(detector, held_out, name, trials) for detector in detectors.values()]
        yield f"| {name} | " + " | ".join(cells) + " |"


def first_alarm(detector: Detector, reference: Observations, photos: Observations) -> float:
    """Number of the photo that ends the first window with an alarm; infinite if none has one."""
    for end in range(WINDOW, len(photos) + 1, WINDOW):
        if detector(reference, photos.select(slice(end - WINDOW, end))):
            return end
    return np.inf


def dataset_drift(reference: Observations, photos: Observations) -> bool:
    """Whether half of the columns drift, by the test that Evidently chooses for each."""
    report, metrics = importlib.import_module("evidently"), importlib.import_module("evidently.metrics")
    run = report.Report([metrics.DriftedColumnsCount()]).run(*(_frame(side) for side in (photos, reference)))
    (metric,) = run.dict()["metrics"]
    return bool(metric["value"]["share"] >= metric["config"]["drift_share"])


def embeddings_drift(reference: Observations, photos: Observations) -> bool:
    """Whether a classifier tells the components apart, as ``EmbeddingsDriftMetric`` does by default."""
    methods = importlib.import_module("evidently.legacy.metrics.data_drift.embedding_drift_methods")
    detect = methods.model(bootstrap=len(reference) < 1000)
    return bool(detect(pd.DataFrame(photos.components), pd.DataFrame(reference.components))[1])


def _frame(photos: Observations) -> pd.DataFrame:
    names = [f"class {index}" for index in range(int(photos.label.max()) + 1)]
    return to_frame(photos, names).dropna(axis=1, how="all")


def _cells(detector: Detector, held_out: HeldOut, name: str, trials: int) -> str:
    delays = []
    for seed in range(trials):
        generator = np.random.default_rng(seed)
        if name in stream_names(held_out):
            reference, photos = stream_of(held_out, name, generator)
        else:
            reference, others = split_groups(held_out.clean, generator)
            photos = others.observations
        delays.append(first_alarm(detector, reference.observations, photos))
    median = np.quantile(delays, 0.5, method="higher")
    shown = f"{median:.0f}" if np.isfinite(median) else "none"
    return f"{shown} | {np.isfinite(delays).sum()} of {trials}"
