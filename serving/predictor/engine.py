"""From photos to answers: what the lanes do, and the model's whole state."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phytoflow.errors import PhotoError
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.probabilities import Predictions
from serving.predictor.errors import RequestError
from serving.predictor.lanes import Lanes, Outcome, Row
from serving.predictor.metrics import CONFIDENCE, INFERENCE, PREDICTIONS
from serving.predictor.options import Options
from serving.predictor.photos import Bounds, Photo

_LOG = logging.getLogger(__name__)
_TOO_LARGE = ("too many bytes", "too many pixels")


class Engine:
    """A classifier with the lanes that run it.

    Attributes:
        classifier: The bundle's.
        bounds: What a request may hold.
        version: Of the bundle.
    """

    def __init__(self, classifier: Classifier, options: Options) -> None:
        manifest = classifier.bundle.manifest
        self.classifier = classifier
        self.version = manifest.version
        self.bounds = Bounds(options.max_photos, options.photo_limits, manifest.preprocessing.size)
        self._preprocessing = manifest.preprocessing
        self._warm(options)
        self._lanes = Lanes(
            self._work, count=options.lanes, max_batch=options.max_batch, max_queue=options.max_queue
        )

    @property
    def alive(self) -> bool:
        """Whether it can answer."""
        return self._lanes.alive

    def close(self) -> None:
        """Finishes what waits."""
        self._lanes.close()

    async def answer(self, photos: Sequence[Photo]) -> tuple[Predictions, NDArray[np.float32]]:
        """Classifies photos.

        Returns:
            The predictions, and each photo's milliseconds, float32 [N].

        Raises:
            RequestError: 422 or 413 naming every photo that cannot be used; 503 if the queue is full.
        """
        rows = _rows(await self._lanes.submit(photos))
        predictions = _predictions(rows, self.classifier.classes)
        for label, confidence in zip(
            predictions.labels(), predictions.probabilities.max(axis=1), strict=True
        ):
            PREDICTIONS.labels(label).inc()
            CONFIDENCE.observe(float(confidence))
        return predictions, np.array([row.seconds * 1000 for row in rows], np.float32)

    def _work(self, photos: Sequence[Photo]) -> list[Outcome]:
        start = time.perf_counter()
        prepared = [self._prepared(photo) for photo in photos]
        tensors = [tensor for tensor in prepared if not isinstance(tensor, PhotoError)]
        found = self._run(tensors) if tensors else None
        seconds = (time.perf_counter() - start) / len(photos)
        rows = iter(_row(found, at, seconds) for at in range(len(tensors)) if found)
        return [t if isinstance(t, PhotoError) else next(rows) for t in prepared]

    def _prepared(self, photo: Photo) -> NDArray[np.float32] | PhotoError:
        """Any of the ways to ask to float32 [3, size, size], by the preprocessing training used."""
        try:
            if isinstance(photo, bytes):
                return self._preprocessing.normalise(self._preprocessing.decode(photo, self.bounds.limits))
        except PhotoError as error:
            return error
        if photo.dtype == np.uint8:
            return self._preprocessing.normalise(self._preprocessing.pixels(Image.fromarray(photo)))
        return photo  # type: ignore[return-value]  # float32: already preprocessed

    def _run(self, tensors: list[NDArray[np.float32]]) -> Predictions:
        with INFERENCE.time():
            return self.classifier.run(np.stack(tensors))

    def _warm(self, options: Options) -> None:
        """Every batch size once in each lane: runtimes prepare memory for a shape when they first see it."""
        probes = self.classifier.bundle.probe_contents()
        tensor = self._preprocessing(probes[0])
        with ThreadPoolExecutor(options.lanes) as pool:
            for size in (1, 2, options.max_batch):
                list(
                    pool.map(
                        lambda _, n=size: self.classifier.run(np.stack([tensor] * n)), range(options.lanes)
                    )
                )


def _row(found: Predictions, at: int, seconds: float) -> Row:
    return Row(found.probabilities[at], seconds, None if found.novelty is None else found.novelty[at])


def _predictions(rows: Sequence[Row], classes: tuple[str, ...]) -> Predictions:
    probabilities = np.stack([row.probabilities for row in rows])
    novelty = [row.novelty for row in rows if row.novelty is not None]
    return Predictions(probabilities, classes, np.array(novelty, np.float32) if novelty else None)


def _rows(outcomes: Sequence[Outcome]) -> list[Row]:
    faults = [(i, outcome) for i, outcome in enumerate(outcomes) if isinstance(outcome, PhotoError)]
    if faults:
        status = 413 if all(fault.reason in _TOO_LARGE for _, fault in faults) else 422
        message = "; ".join(f"photo {i}: {fault.message}" for i, fault in faults)
        raise RequestError(status, faults[0][1].reason, message)
    return [outcome for outcome in outcomes if isinstance(outcome, Row)]
