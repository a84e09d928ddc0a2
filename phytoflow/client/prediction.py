"""A predictor's response for one photo, and the error of a refused request."""

from __future__ import annotations

from dataclasses import dataclass

from phytoflow.errors import ServingError


@dataclass(frozen=True)
class Prediction:
    """The prediction for one photo.

    Attributes:
        label: Most likely class.
        score: Its probability, 0 to 1.
        labels: The ``top_k`` most likely classes, best first.
        scores: Their probabilities, 0 to 1.
        probabilities: One for each class, in the order of the model's metadata; they sum to 1.
        milliseconds: Time the predictor spent on the photo, without waiting in the queue.
        model_version: Version of the bundle that answered.
        known: False if the photo shows none of the classes; ``label`` is then meaningless. None if the
            bundle has no out-of-distribution statistics.
        novelty: Distance from the training photos: 0 is a typical photo, above 1 is unknown. None if the
            bundle has no out-of-distribution statistics.
        explanation: Heat map of 28 x 28 values from 0 to 1 over the photo's central square, row by row; None
            unless requested.
    """

    label: str
    score: float
    labels: tuple[str, ...]
    scores: tuple[float, ...]
    probabilities: tuple[float, ...]
    milliseconds: float
    model_version: str
    known: bool | None = None
    novelty: float | None = None
    explanation: tuple[tuple[float, ...], ...] | None = None


class RefusedError(ServingError):
    """The predictor refused the request.

    Attributes:
        status: HTTP status; 0 over gRPC.
        reason: Short category, e.g. ``"truncated"`` or ``"overloaded"``.
    """

    def __init__(self, message: str, *, status: int, reason: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.reason = reason
