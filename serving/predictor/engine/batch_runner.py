"""What a lane does with photos: prepare them as training did, run them, hand back a row each."""

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
from serving.predictor.batching.jobs import Outcome, Row
from serving.predictor.inputs.types import Bounds, Photo
from serving.predictor.inputs.views import View
from serving.predictor.observability.metrics import BATCH_SIZE, INFERENCE


class Prepared(NamedTuple):
    """Photos on their way.

    Attributes:
        start: When they were taken, by ``time.perf_counter``.
        tensors: Of those that can be used, float32 [N, 3, size, size].
        faults: What is wrong with each of all photos, if anything.
    """

    start: float
    tensors: NDArray[np.float32]
    faults: list[PhotoError | None]


class Worker:
    """Answers photos; called from every lane's thread.

    Args:
        classifier: Runs them.
        bounds: What a photo may cost.
        batch: Most that are run at once.
    """

    def __init__(self, classifier: Classifier, bounds: Bounds, batch: int) -> None:
        self._classifier = classifier
        self._bounds = bounds
        self._batch = batch
        self._preprocessing = classifier.bundle.manifest.preprocessing

    def prepare(self, photos: Sequence[Photo | View]) -> Prepared:
        """All photos, one after the other: the code and tables of decoding stay in the caches."""
        start = time.perf_counter()
        tensors = np.empty((len(photos), 3, self._bounds.size, self._bounds.size), np.float32)
        faults: list[PhotoError | None] = []
        for photo in photos:
            faults.append(self._prepare(photo, tensors[faults.count(None)]))
        return Prepared(start, tensors[: faults.count(None)], faults)

    def run(self, prepared: Prepared, exclusive: bool) -> list[Outcome]:
        """A row each, or what is wrong with the photo; see ``Lanes`` for ``exclusive``."""
        start, tensors, faults = prepared
        size = self._batch
        found = [self._run(tensors[at : at + size], exclusive) for at in range(0, len(tensors), size)]
        seconds = (time.perf_counter() - start) / len(faults)
        rows = iter(Row(found[at // size], at % size, seconds) for at in range(len(tensors)))
        return [fault or next(rows) for fault in faults]

    def _prepare(self, asked: Photo | View, out: NDArray[np.float32]) -> PhotoError | None:
        """Any of the ways to ask to float32 [3, size, size], by the preprocessing training used."""
        view = asked if isinstance(asked, View) else View(asked)
        try:
            if not isinstance(view.photo, bytes) and view.photo.dtype != np.uint8:  # already preprocessed
                out[:] = flip(view.photo, view.at, axes=(-1, -2))
                return None
            pixels = view_pixels(self._preprocessing, self._image(view.photo), view.augmentation, view.at)
            self._preprocessing.normalise(pixels, out)
        except PhotoError as error:
            return error
        return None

    def _image(self, photo: Photo) -> Image.Image:
        if isinstance(photo, bytes):
            return self._preprocessing.open(photo, self._bounds.limits)
        return Image.fromarray(photo)

    def _run(self, tensors: NDArray[np.float32], exclusive: bool) -> Predictions:
        BATCH_SIZE.observe(len(tensors))
        start = time.perf_counter()
        try:
            return self._classifier.run(tensors, exclusive=exclusive)
        finally:
            INFERENCE.observe(time.perf_counter() - start)
