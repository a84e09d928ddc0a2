"""Decodes, preprocesses and runs a batch of photos."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phytoflow.errors import PhotoError
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.predictions import Predictions
from phytoflow.inference.test_time_augmentation import flip, view_pixels
from serving.predictor.batching.jobs import Outcome, PhotoInput, PhotoResult
from serving.predictor.inputs.types import Photo, RequestLimits
from serving.predictor.inputs.views import View
from serving.predictor.observability.metrics import BATCH_SIZE, INFERENCE


class PreparedBatch(NamedTuple):
    """Photos ready to be run.

    Attributes:
        start: When preparing began, by ``time.perf_counter``.
        tensors: Photos that can be used, float32 [N, 3, size, size].
        faults: For each photo of the batch what is wrong with it, or None.
    """

    start: float
    tensors: NDArray[np.float32]
    faults: list[PhotoError | None]


class BatchRunner:
    """The ``BatchTask`` of the predictor; called from all worker threads.

    Args:
        classifier: Runs the photos.
        limits: Limits on each photo.
        max_batch_size: Maximum number of photos in one call of the runtime.
    """

    def __init__(self, classifier: Classifier, limits: RequestLimits, max_batch_size: int) -> None:
        self._classifier = classifier
        self._limits = limits
        self._max_batch_size = max_batch_size
        self._preprocessing = classifier.bundle.manifest.preprocessing

    def prepare(self, photos: Sequence[PhotoInput]) -> PreparedBatch:
        """Decodes and preprocesses photos one after the other."""
        start = time.perf_counter()
        side = self._limits.input_size
        tensors = np.empty((len(photos), 3, side, side), np.float32)
        faults: list[PhotoError | None] = []
        for photo in photos:
            faults.append(self._prepare(photo, tensors[faults.count(None)]))
        return PreparedBatch(start, tensors[: faults.count(None)], faults)

    def run(self, prepared: PreparedBatch, exclusive: bool) -> list[Outcome]:
        """Runs prepared photos; a photo's outcome is its result or what is wrong with it."""
        start, tensors, faults = prepared
        size = self._max_batch_size
        batches = [self._run(tensors[at : at + size], exclusive) for at in range(0, len(tensors), size)]
        seconds = (time.perf_counter() - start) / len(faults)
        results = iter(PhotoResult(batches[at // size], at % size, seconds) for at in range(len(tensors)))
        return [fault or next(results) for fault in faults]

    def _prepare(self, photo: PhotoInput, out: NDArray[np.float32]) -> PhotoError | None:
        """Writes a photo to ``out``, float32 [3, size, size], or returns what is wrong with it."""
        view = photo if isinstance(photo, View) else View(photo)
        try:
            if not isinstance(view.photo, bytes) and view.photo.dtype != np.uint8:  # already preprocessed
                out[:] = flip(view.photo, view.index, axes=(-1, -2))
                return None
            pixels = view_pixels(self._preprocessing, self._open(view.photo), view.augmentation, view.index)
            self._preprocessing.normalise(pixels, out)
        except PhotoError as error:
            return error
        return None

    def _open(self, photo: Photo) -> Image.Image:
        if isinstance(photo, bytes):
            return self._preprocessing.open(photo, self._limits.photo)
        return Image.fromarray(photo)

    def _run(self, tensors: NDArray[np.float32], exclusive: bool) -> Predictions:
        BATCH_SIZE.observe(len(tensors))
        start = time.perf_counter()
        try:
            return self._classifier.run(tensors, exclusive=exclusive)
        finally:
            INFERENCE.observe(time.perf_counter() - start)
