"""What a predictor answers for one photo, and why it may refuse."""

from __future__ import annotations

from dataclasses import dataclass

from phytoflow.errors import ServingError


@dataclass(frozen=True)
class Answer:
    """One photo's answer.

    Attributes:
        label: Likeliest class.
        score: Its probability.
        labels: The ``top_k`` likeliest classes, best first.
        scores: Their probabilities.
        probabilities: Of every class, in the order of the model's metadata.
        milliseconds: Time the predictor spent on the photo, without waiting.
        model_version: Version that answered.
        known: Whether the photo shows what the model was trained on; None if the bundle cannot tell. Where
            it is False, the label means nothing.
        novelty: How strange the photo is: 0 a typical known one, above 1 unknown; None likewise.
        explanation: Rows of 0..1 over the photo's middle square: what spoke for the class explained; None
            where not asked for.
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
    """The predictor answered, with a refusal.

    Attributes:
        status: HTTP status, or 0 over gRPC.
        reason: Its short category, e.g. ``"truncated"`` or ``"overloaded"``.
    """

    def __init__(self, message: str, *, status: int, reason: str, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.status = status
        self.reason = reason
