"""Metrics made from predictions by hand, for tests of what is written about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from phytoflow.evaluation.metrics.classification import measure_classification
from phytoflow.evaluation.predictions.table import PhotoPredictions
from phytoflow.evaluation.results import Metrics
from phytoflow.evaluation.settings import EvaluationSettings

SETTINGS = EvaluationSettings(bootstrap_samples=200)


def predictions_of(
    labels: Sequence[int],
    predicted: Sequence[int],
    classes: Sequence[str],
    *,
    confidence: float = 0.9,
    groups: Sequence[str] | None = None,
) -> PhotoPredictions:
    """Predictions that are equally sure of every answer."""
    rest = (1 - confidence) / max(len(classes) - 1, 1)
    probabilities = np.full((len(labels), len(classes)), rest)
    probabilities[np.arange(len(labels)), predicted] = confidence
    paths = tuple(f"{number}.jpg" for number in range(len(labels)))
    return PhotoPredictions(paths, tuple(groups or paths), np.array(labels), probabilities, tuple(classes))


def metrics_of(predictions: PhotoPredictions, **changes: Any) -> Metrics:
    """Metrics of predictions, with some of their fields set to other values."""
    facts: dict[str, Any] = {
        "mean_latency_ms": 10.0,
        "median_latency_ms": 10.0,
        "p95_latency_ms": 12.0,
        "cpu_latency_ms": 10.0,
        "data_hash": "d" * 64,
        "photos_hash": "p",
        "bundle_version": "b",
        "runtime": "onnx",
        "code_version": "0",
        "seed": 0,
    }
    return Metrics(**(dict(measure_classification(predictions, SETTINGS, 0)) | facts | changes))


def example_metrics(right: int = 39, photos: int = 40, **changes: Any) -> Metrics:
    """Metrics of five classes with some right answers; the mistakes are of the last class."""
    classes = ("blight", "healthy", "mosaic", "rust", "scab")
    labels = np.arange(photos) % len(classes)
    predicted = labels.copy()
    wrong = np.arange(photos)[::-1][: photos - right]
    predicted[wrong] = (labels[wrong] + 1) % len(classes)
    return metrics_of(predictions_of(labels.tolist(), predicted.tolist(), classes), **changes)
