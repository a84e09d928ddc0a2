"""One loaded version of the model: from photos to predictions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Self

from phytoflow.errors import PhotoError
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.predictions import Predictions
from phytoflow.inference.test_time_augmentation import average_views
from phytoflow.protocol.constants import VIEWS, Augmentation
from serving.predictor.batching.jobs import Outcome, PhotoResult
from serving.predictor.batching.worker_pool import WorkerPool
from serving.predictor.engine.batch_runner import BatchRunner
from serving.predictor.engine.warmup import warm_up
from serving.predictor.errors import RequestError
from serving.predictor.inputs.types import Photo, RequestLimits
from serving.predictor.inputs.views import expand_views
from serving.predictor.observability.metrics import CONFIDENCE, PREDICTIONS
from serving.predictor.options import Options

_TOO_LARGE = ("too_many_bytes", "too_many_pixels")


class Engine:
    """A classifier with the workers that run it.

    While a request uses an engine, as a context manager, ``drain`` does not end it.

    Args:
        classifier: The opened bundle.
        options: Limits, number of workers and batch sizes.

    Attributes:
        classifier: The opened bundle.
        limits: Limits on a request.
        version: Bundle version.
        max_batch_size: Maximum number of photos that a worker runs at once.
        feature_count: Number of features of a photo; 0 if the model does not return any.
    """

    def __init__(self, classifier: Classifier, options: Options) -> None:
        manifest = classifier.bundle.manifest
        self.classifier = classifier
        self.version = manifest.version
        self.limits = RequestLimits(
            options.max_photos_per_request, options.photo_limits, manifest.preprocessing.size
        )
        self._counters = [PREDICTIONS.labels(name) for name in classifier.classes]
        self._users = 0
        self._unused = asyncio.Event()
        self._unused.set()
        self.feature_count = classifier.feature_count  # runs the model once: not while requests wait
        self.max_batch_size = warm_up(classifier, options.inference_threads, options.max_batch_size)
        # The runner holds no reference to the engine: without a cycle its memory is freed with its last user.
        self._pool = WorkerPool(
            BatchRunner(classifier, self.limits, self.max_batch_size),
            workers=options.inference_threads,
            max_batch_size=self.max_batch_size,
            max_queue_size=options.max_queue_size,
            max_delay=options.max_batch_delay_ms / 1000,
        )

    @property
    def alive(self) -> bool:
        """Whether all workers run."""
        return self._pool.alive

    @property
    def queue_depth(self) -> Callable[[], int]:
        """A function that counts the queued photos and holds no reference to the engine."""
        return self._pool.queue_depth

    def check_room(self) -> None:
        """Raises RequestError 503 if the queue is full."""
        self._pool.check_room()

    def __enter__(self) -> Self:
        """Marks the engine as in use; called in the event loop's thread."""
        self._users += 1
        self._unused.clear()
        return self

    def __exit__(self, *_: object) -> None:
        """Marks the end of one use."""
        self._users -= 1
        if not self._users:
            self._unused.set()

    async def drain(self) -> None:
        """Waits until no request uses the engine, then ends its workers."""
        await self._unused.wait()
        await asyncio.to_thread(self._pool.close)

    async def predict(
        self, photos: Sequence[Photo], augmentation: Augmentation = "none"
    ) -> tuple[Predictions, list[float]]:
        """Classifies photos, each by the mean over its views.

        Returns:
            The predictions, and the milliseconds that each photo took.

        Raises:
            RequestError: 422 or 413, naming every photo that cannot be used; 503 if the queue is full.
        """
        views = VIEWS[augmentation]
        outcomes = await self._pool.submit(expand_views(photos, augmentation))
        results = [outcome for outcome in outcomes if isinstance(outcome, PhotoResult)]
        if len(results) < len(outcomes):
            raise _photo_error(outcomes, views)
        rows = [result.batch.row(result.row) for result in results]
        predictions = average_views(Predictions.concatenate(rows, self.classifier.classes), views)
        self._count(predictions)
        seconds = [result.seconds for result in results]
        return predictions, [sum(seconds[i : i + views]) * 1000 for i in range(0, len(seconds), views)]

    def _count(self, predictions: Predictions) -> None:
        # On lists: numpy's argmax and max cost more for a row of a few classes.
        for probabilities in predictions.probabilities.tolist():
            confidence = max(probabilities)
            self._counters[probabilities.index(confidence)].inc()
            CONFIDENCE.observe(confidence)


def _photo_error(outcomes: Sequence[Outcome], views: int) -> RequestError:
    # All views of a photo fail alike: one of them is reported.
    faults = {i // views: outcome for i, outcome in enumerate(outcomes) if isinstance(outcome, PhotoError)}
    status = 413 if all(fault.reason in _TOO_LARGE for fault in faults.values()) else 422
    message = "; ".join(f"photo {i}: {fault.message}" for i, fault in faults.items())
    return RequestError(status, next(iter(faults.values())).reason, message)
