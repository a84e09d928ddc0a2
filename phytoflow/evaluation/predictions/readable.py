"""A batch of photos through a bundle where some photos may be unreadable."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from phytoflow.errors import PhotoError
from phytoflow.inference.classifier import Classifier


class PhotoPrediction(NamedTuple):
    """The output for one photo.

    Attributes:
        probabilities: float64 [C], calibrated.
        novelty: Above 1 for an unknown photo; None if the bundle has no OOD statistics.
    """

    probabilities: NDArray[np.float64]
    novelty: float | None


def predict_each(classifier: Classifier, contents: Sequence[bytes]) -> list[PhotoPrediction | PhotoError]:
    """Classifies encoded photos; an unreadable photo gives its error instead of ending the batch.

    Args:
        classifier: The opened bundle.
        contents: Encoded photos.
    """
    try:
        predictions = classifier.predict(contents)
    except PhotoError as error:
        if len(contents) == 1:
            return [error]
        # Rare, so the batch is simply repeated photo by photo.
        return [result for content in contents for result in predict_each(classifier, [content])]
    novelty = [None] * len(contents) if predictions.novelty is None else predictions.novelty.tolist()
    probabilities = predictions.probabilities.astype(np.float64)
    return [PhotoPrediction(*row) for row in zip(probabilities, novelty, strict=True)]
