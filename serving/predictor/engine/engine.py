"""One version of the model, running: from photos to predictions."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Self

from phytoflow.errors import PhotoError
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.predictions import Predictions
from phytoflow.inference.test_time_augmentation import average_views
from phytoflow.protocol.constants import VIEWS, Augmentation
from serving.predictor.batching.jobs import Outcome, Row
from serving.predictor.batching.worker_pool import Lanes
from serving.predictor.engine.batch_runner import Worker
from serving.predictor.engine.warmup import warm
from serving.predictor.errors import RequestError
from serving.predictor.inputs.types import Bounds, Photo
from serving.predictor.inputs.views import views_of
from serving.predictor.observability.metrics import CONFIDENCE, PREDICTIONS
from serving.predictor.options import Options

_TOO_LARGE = ("too_many_bytes", "too_many_pixels")


class Engine:
    """A classifier with the lanes that run it.

    Attributes:
        classifier: The bundle's.
        bounds: What a request may hold.
        version: Of the bundle.
        max_batch_size: Most photos run at once by a lane.
    """

    def __init__(self, classifier: Classifier, options: Options) -> None:
        manifest = classifier.bundle.manifest
        self.classifier = classifier
        self.version = manifest.version
        self.bounds = Bounds(
            options.max_photos_per_request, options.photo_limits, manifest.preprocessing.size
        )
        self._counted = [PREDICTIONS.labels(name) for name in classifier.classes]
        self._users = 0
        self._unused = asyncio.Event()
        self._unused.set()
        self.max_batch_size = warm(classifier, options.inference_threads, options.max_batch_size)
        # The worker does not know the engine: without a cycle its memory goes when the last user does.
        self._lanes = Lanes(
            Worker(classifier, self.bounds, self.max_batch_size),
            count=options.inference_threads,
            max_batch_size=self.max_batch_size,
            max_queue_size=options.max_queue_size,
            max_delay=options.max_batch_delay_ms / 1000,
        )

    @property
    def alive(self) -> bool:
        """Whether it can answer."""
        return self._lanes.alive

    @property
    def depth(self) -> Callable[[], int]:
        """What counts the photos in its queue; keeps nothing else of the engine."""
        return self._lanes.depth

    def check_room(self) -> None:
        """Refuses what would find no place in the queue; RequestError 503."""
        self._lanes.check_room()

    def __enter__(self) -> Self:
        """Keeps it from ending while a request is answered; in the event loop's thread."""
        self._users += 1
        self._unused.clear()
        return self

    def __exit__(self, *_: object) -> None:
        """The request is answered."""
        self._users -= 1
        if not self._users:
            self._unused.set()

    async def retired(self) -> None:
        """Waits until the last request that uses it is answered, then ends its lanes."""
        await self._unused.wait()
        await asyncio.to_thread(self._lanes.close)

    async def answer(
        self, photos: Sequence[Photo], augmentation: Augmentation = "none"
    ) -> tuple[Predictions, list[float]]:
        """Classifies photos, each by the mean over its views.

        Returns:
            The predictions, and each photo's milliseconds.

        Raises:
            RequestError: 422 or 413 naming every photo that cannot be used; 503 if the queue is full.
        """
        views = VIEWS[augmentation]
        outcomes = await self._lanes.submit(views_of(photos, augmentation))
        rows = [outcome for outcome in outcomes if isinstance(outcome, Row)]
        if len(rows) < len(outcomes):
            raise _refusal(outcomes, views)
        each = [row.found.row(row.at) for row in rows]
        predictions = average_views(Predictions.concatenate(each, self.classifier.classes), views)
        for probabilities in predictions.probabilities.tolist():
            confidence = max(probabilities)
            self._counted[probabilities.index(confidence)].inc()
            CONFIDENCE.observe(confidence)
        seconds = [row.seconds for row in rows]
        return predictions, [sum(seconds[i : i + views]) * 1000 for i in range(0, len(seconds), views)]


def _refusal(outcomes: Sequence[Outcome], views: int) -> RequestError:
    # The views of one photo share its fault.
    faults = {i // views: outcome for i, outcome in enumerate(outcomes) if isinstance(outcome, PhotoError)}
    status = 413 if all(fault.reason in _TOO_LARGE for fault in faults.values()) else 422
    message = "; ".join(f"photo {i}: {fault.message}" for i, fault in faults.items())
    return RequestError(status, next(iter(faults.values())).reason, message)
