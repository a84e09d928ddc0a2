"""Before the first request: what runtimes prepare when they first see a shape, and how large a batch pays."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from phytoflow.inference.classifier import Classifier

_LEAST, _MOST = 2, 8
_GAIN = 0.9  # what a photo of twice the batch may take of the time it took: waiting for more has to pay
_TURNS = 3


def warm(classifier: Classifier, lanes: int, max_batch_size: int) -> int:
    """Every size of batch that is common, once in each lane; then a photo that has the CPUs to itself.

    Args:
        classifier: Will answer.
        lanes: Calls under way at once.
        max_batch_size: Most photos a call; 0: as many as pay, see ``worthwhile``.

    Returns:
        Most photos a call.
    """
    photo = classifier.bundle.manifest.preprocessing(classifier.bundle.probe_contents()[0])
    photos = np.stack([photo] * max(max_batch_size, _MOST))  # one piece of memory for all of it
    with ThreadPoolExecutor(lanes) as pool:

        def seconds(size: int) -> float:
            start = time.perf_counter()
            list(pool.map(classifier.run, [photos[:size]] * lanes))
            return time.perf_counter() - start

        seconds(1)
        found = max_batch_size or worthwhile(seconds)
        seconds(min(found, 2))
        seconds(found)
    for _ in range(lanes):
        classifier.run(photo[None], exclusive=True)
    return found


def worthwhile(seconds: Callable[[int], float]) -> int:
    """The size of batch beyond which a photo gets no cheaper by a tenth on this machine.

    At least two: what the server itself does for the second photo finds the caches warm. Not more than pays,
    each time it is measured, for a moment in which others use the machine tells nothing: whoever shares a
    batch waits for all of it.

    Args:
        seconds: Runs a batch of a size in every lane, and gives the time that took.
    """

    def twice_pays(size: int) -> bool:
        seconds(2 * size)  # the first of a size is slower
        return all(seconds(2 * size) < _GAIN * 2 * seconds(size) for _ in range(_TURNS))

    size = _LEAST
    seconds(size)
    while size < _MOST and twice_pays(size):
        size *= 2
    return size
