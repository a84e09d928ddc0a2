"""What a lane does with photos: prepare them as training did, run them, hand back a row each."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from phytoflow.data.decode import decode
from phytoflow.errors import PhotoError
from phytoflow.inference.classifier import Classifier
from phytoflow.inference.probabilities import Predictions
from phytoflow.inference.views import flipped, pixels_of
from serving.predictor.jobs import Outcome, Row
from serving.predictor.metrics import INFERENCE
from serving.predictor.photos import Bounds, Photo
from serving.predictor.views import View


class Worker:
    """Answers a batch of photos; called from every lane's thread.

    Args:
        classifier: Runs them.
        bounds: What a photo may cost.
    """

    def __init__(self, classifier: Classifier, bounds: Bounds) -> None:
        self._classifier = classifier
        self._bounds = bounds
        self._preprocessing = classifier.bundle.manifest.preprocessing

    def __call__(self, photos: Sequence[Photo | View], alone: bool = False) -> list[Outcome]:
        """A row each, or what is wrong with the photo, in their order; see ``Lanes`` for ``alone``."""
        start = time.perf_counter()
        batch = np.empty((len(photos), 3, self._bounds.size, self._bounds.size), np.float32)
        faults: list[PhotoError | None] = []
        for photo in photos:
            faults.append(self._prepare(photo, batch[faults.count(None)]))
        good = batch[: faults.count(None)]
        found = self._run(good, alone) if len(good) else None
        seconds = (time.perf_counter() - start) / len(photos)
        rows = iter(Row(found, at, seconds) for at in range(len(good)) if found)
        return [fault or next(rows) for fault in faults]

    def _prepare(self, asked: Photo | View, out: NDArray[np.float32]) -> PhotoError | None:
        """Any of the ways to ask to float32 [3, size, size], by the preprocessing training used."""
        view = asked if isinstance(asked, View) else View(asked)
        try:
            if not isinstance(view.photo, bytes) and view.photo.dtype != np.uint8:  # already preprocessed
                out[:] = flipped(view.photo, view.at, axes=(-1, -2))
                return None
            pixels = pixels_of(self._preprocessing, self._image(view.photo), view.augmentation, view.at)
            self._preprocessing.normalise(pixels, out)
        except PhotoError as error:
            return error
        return None

    def _image(self, photo: Photo) -> Image.Image:
        if isinstance(photo, bytes):
            return decode(photo, self._bounds.limits, size_hint=self._preprocessing.resize_size)
        return Image.fromarray(photo)

    def _run(self, tensors: NDArray[np.float32], alone: bool) -> Predictions:
        start = time.perf_counter()
        try:
            return self._classifier.run(tensors, alone=alone)
        finally:
            INFERENCE.observe(time.perf_counter() - start)
