"""Before the first request: lets runtimes prepare for their shapes, and measures the batch size."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from phytoflow.inference.classifier import Classifier

# Two at least: what the server itself does for the second photo of a batch finds warm caches.
_MIN_BATCH, _MAX_BATCH = 2, 8
_MAX_COST = 0.9  # of a photo, relative to half the batch size: all photos of a batch wait for the whole batch
_REPEATS = 3  # a moment in which another process uses the CPUs must not decide


def warm_up(classifier: Classifier, workers: int, max_batch_size: int) -> int:
    """Runs every usual batch size once in each worker, then single photos with all CPUs.

    Args:
        classifier: The opened bundle.
        workers: Concurrent calls.
        max_batch_size: Maximum batch size; 0: measured, see ``find_batch_size``.

    Returns:
        Maximum batch size.
    """
    photo = classifier.bundle.manifest.preprocessing(classifier.bundle.probe_contents()[0])
    # One block of memory for all sizes.
    photos = np.stack([photo] * max(max_batch_size, _MAX_BATCH))
    with ThreadPoolExecutor(workers) as pool:

        def time_batch(size: int) -> float:
            start = time.perf_counter()
            list(pool.map(classifier.run, [photos[:size]] * workers))
            return time.perf_counter() - start

        time_batch(1)
        batch_size = max_batch_size or find_batch_size(time_batch)
        time_batch(min(batch_size, 2))
        time_batch(batch_size)
    for _ in range(workers):
        classifier.run(photo[None], exclusive=True)
    return batch_size


def find_batch_size(time_batch: Callable[[int], float]) -> int:
    """Finds the batch size from which doubling it makes a photo less than a tenth cheaper.

    Args:
        time_batch: Runs a batch of a size in every worker and returns the seconds that took.

    Returns:
        2, 4 or 8.
    """

    def doubling_pays(size: int) -> bool:
        time_batch(2 * size)  # the first run of a size is slower
        return all(time_batch(2 * size) < _MAX_COST * 2 * time_batch(size) for _ in range(_REPEATS))

    size = _MIN_BATCH
    time_batch(size)
    while size < _MAX_BATCH and doubling_pays(size):
        size *= 2
    return size
