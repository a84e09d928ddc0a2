"""How long one photo takes the exported model, from its bytes to its probabilities."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from phytoflow.inference.classifier import Classifier

_WARM_UP = 3


@dataclass(frozen=True)
class Latency:
    """Milliseconds a photo, one at a time, decoding included."""

    mean: float
    median: float
    p95: float


def measure_latency(classifier: Classifier, contents: Sequence[bytes]) -> Latency:
    """Times the classifier on encoded photos, one at a time, after a few that warm it up.

    Args:
        classifier: The opened bundle.
        contents: At least one readable photo.
    """
    for content in contents[:_WARM_UP]:
        classifier.predict([content])
    taken = [_milliseconds(classifier, content) for content in contents]
    return Latency(float(np.mean(taken)), float(np.median(taken)), float(np.quantile(taken, 0.95)))


def _milliseconds(classifier: Classifier, content: bytes) -> float:
    started = time.perf_counter()
    classifier.predict([content])
    return (time.perf_counter() - started) * 1000
