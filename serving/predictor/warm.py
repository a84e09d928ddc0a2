"""Before the first request: what runtimes prepare when they first see a shape, and how large a batch pays."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from numpy.typing import NDArray

from phytoflow.inference.classifier import Classifier

_LEAST, _MOST = 2, 32
_GAIN = 0.95  # what a photo of twice the batch may take of the time it took: waiting for more has to pay
_TURNS = 3


def warm(classifier: Classifier, lanes: int, max_batch: int) -> None:
    """Every size of batch that is common, once in each lane; then a photo that has the CPUs to itself.

    Args:
        classifier: Will answer.
        lanes: Calls under way at once.
        max_batch: Most photos a call.
    """
    for size in sorted({1, 2, max_batch}):
        _seconds(classifier, lanes, size)
    photo = _photo(classifier)
    for _ in range(lanes):
        classifier.run(photo[None], alone=True)


def worthwhile(classifier: Classifier, lanes: int) -> int:
    """The size of batch beyond which a photo gets no cheaper by a twentieth on this machine.

    At least two: what the server itself does for the second photo finds the caches warm. Not more than pays:
    whoever shares a batch waits for all of it.

    Args:
        classifier: Will answer.
        lanes: Calls under way at once.
    """
    size, seconds = _LEAST, _a_photo(classifier, lanes, _LEAST)
    while size < _MOST and (twice := _a_photo(classifier, lanes, 2 * size)) < _GAIN * seconds:
        size, seconds = 2 * size, twice
    return size


def _a_photo(classifier: Classifier, lanes: int, size: int) -> float:
    """Seconds a photo in a batch, the least of a few turns."""
    return min(_seconds(classifier, lanes, size) for _ in range(_TURNS)) / size


def _seconds(classifier: Classifier, lanes: int, size: int) -> float:
    batch = np.stack([_photo(classifier)] * size)
    with ThreadPoolExecutor(lanes) as pool:
        start = time.perf_counter()
        list(pool.map(lambda run: run(), [partial(classifier.run, batch)] * lanes))
        return time.perf_counter() - start


def _photo(classifier: Classifier) -> NDArray[np.float32]:
    bundle = classifier.bundle
    return bundle.manifest.preprocessing(bundle.probe_contents()[0])
