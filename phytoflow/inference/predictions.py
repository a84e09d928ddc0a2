"""Calibrated probabilities, and the predictions of a classifier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from phytoflow.ood.array_namespace import namespace_of

Array = NDArray[np.float32]


def softmax(logits: Array, temperature: float = 1.0) -> Array:
    """Softmax of ``logits / temperature`` (Guo 2017) over the last axis.

    Args:
        logits: float32 [N, C], an array or a tensor.
        temperature: Temperature of the calibration; 1 leaves the model's own confidence.

    Returns:
        float32 [N, C]; each row sums to 1.
    """
    xp = namespace_of(logits)
    exponentials: Array = xp.exp((logits - xp.amax(logits, axis=-1, keepdims=True)) / temperature)
    return exponentials / xp.sum(exponentials, axis=-1, keepdims=True)


@dataclass(frozen=True)
class Predictions:
    """Predictions for N photos.

    Attributes:
        probabilities: float32 [N, C].
        classes: The C class names, in the order of the columns.
        novelty: float32 [N], 0 for a typical known photo, above 1 out of distribution; None without OOD
            detection.
        features: float32 [N, D], the network's features; None if the model file does not return them.
    """

    probabilities: NDArray[np.float32]
    classes: tuple[str, ...]
    novelty: NDArray[np.float32] | None = None
    features: NDArray[np.float32] | None = None

    @classmethod
    def concatenate(cls, parts: Sequence[Predictions], classes: tuple[str, ...]) -> Predictions:
        """The rows of several predictions, in order; ``classes`` is needed if there are none."""
        if len(parts) == 1:
            return parts[0]
        empty = np.empty((0, len(classes)), np.float32)
        novelty = [part.novelty for part in parts if part.novelty is not None]
        features = [part.features for part in parts if part.features is not None]
        return cls(
            np.concatenate([empty, *(part.probabilities for part in parts)]),
            classes,
            np.concatenate(novelty) if novelty else None,
            np.concatenate(features) if features else None,
        )

    def row(self, at: int) -> Predictions:
        """The predictions for one photo."""
        novelty = None if self.novelty is None else self.novelty[at : at + 1]
        features = None if self.features is None else self.features[at : at + 1]
        return Predictions(self.probabilities[at : at + 1], self.classes, novelty, features)

    @property
    def known(self) -> NDArray[np.bool_] | None:
        """Which photos are in distribution, bool [N]; None without OOD detection."""
        return None if self.novelty is None else self.novelty <= 1

    def labels(self) -> list[str]:
        """The most probable class of each photo."""
        return [self.classes[index] for index in self.probabilities.argmax(axis=1)]

    def top(self, k: int) -> tuple[list[list[str]], NDArray[np.float32]]:
        """The k most probable classes of each photo, best first, and their probabilities, float32 [N, k]."""
        order = (-self.probabilities).argsort(axis=1, kind="stable")[:, :k]
        rows = np.arange(len(order))[:, None]
        scores = self.probabilities[rows, order]  # takes a third of the time of take_along_axis
        return [[self.classes[index] for index in row] for row in order], scores
