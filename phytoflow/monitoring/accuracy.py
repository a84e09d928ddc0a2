"""Accuracy without labels, estimated from the confidence of served photos, and when there is no estimate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.monitoring.observations import Observations
from phytoflow.monitoring.reference import Reference

MOST_UNKNOWN = 0.2
"""Share of unknown photos above which there is no estimate: nothing is known of what they show."""
FEWEST_LABELS = 30
"""Labelled photos from which on their accuracy is shown."""
_NORMAL = 1.96  # two-sided 95%


class LabelledAccuracy(BaseModel):
    """Accuracy on photos that people labelled.

    Attributes:
        photos: Number of labelled photos.
        accuracy: Share that the model had right.
        low: Lower end of the 95% interval (Wilson 1927).
        high: Upper end.
    """

    model_config = ConfigDict(frozen=True)

    photos: int
    accuracy: float
    low: float
    high: float


class AccuracyEstimate(BaseModel):
    """Estimated accuracy of some photos.

    Attributes:
        photos: Number of photos.
        unknown_share: Share of them out of distribution; 0 if the bundle cannot tell.
        reference: Accuracy on the known reference photos.
        thresholded: Average thresholded confidence over known photos (Garg et al. 2022); None: cannot tell.
        mean_confidence: Mean calibrated confidence over known photos; None: cannot tell.
        error: Standard error of ``thresholded`` that comes from the number of photos.
        labelled: Accuracy on labelled photos; None with fewer than 30.
    """

    model_config = ConfigDict(frozen=True)

    photos: int
    unknown_share: float
    reference: float
    thresholded: float | None = None
    mean_confidence: float | None = None
    error: float | None = None
    labelled: LabelledAccuracy | None = None

    @property
    def drop(self) -> float | None:
        """By how much the estimate lies below the reference; None: cannot tell."""
        return None if self.thresholded is None else self.reference - self.thresholded


def estimate_accuracy(
    reference: Reference, photos: Observations, right: NDArray[np.bool_] | None = None
) -> AccuracyEstimate:
    """Estimates the accuracy of served photos.

    Average thresholded confidence is the share of photos whose confidence exceeds a threshold, set so that on
    the reference this share is the accuracy. Only known photos count: of other things the model may be as
    confident as it likes.

    Args:
        reference: Photos with true classes.
        photos: The served photos.
        right: bool [L], for labelled photos whether the model had them right.
    """
    known = ~reference.observations.unknown
    accuracy = float(reference.correct[known].mean())
    unknown = float(photos.unknown.mean()) if len(photos) else 0.0
    labelled = label_interval(right) if right is not None and len(right) >= FEWEST_LABELS else None
    confidence = photos.confidence[~photos.unknown]
    result = AccuracyEstimate(
        photos=len(photos), unknown_share=unknown, reference=accuracy, labelled=labelled
    )
    if not len(confidence) or unknown > MOST_UNKNOWN:
        return result
    threshold = confidence_threshold(reference.observations.confidence[known], accuracy)
    share = float((confidence > threshold).mean())
    measured = {
        "thresholded": share,
        "mean_confidence": float(confidence.mean()),
        "error": math.sqrt(share * (1 - share) / len(confidence)),
    }
    return result.model_copy(update=measured)


def confidence_threshold(confidence: NDArray[np.float32], accuracy: float) -> float:
    """The threshold that a share ``accuracy`` of the reference's confidences exceeds; below 0 if all do."""
    wrong = round((1 - accuracy) * len(confidence))
    return float(np.sort(confidence)[wrong - 1]) if wrong else -1.0


def label_interval(right: NDArray[np.bool_]) -> LabelledAccuracy:
    """Accuracy on labelled photos, with its 95% interval (Wilson 1927)."""
    n, share = len(right), float(np.mean(right))
    scale = 1 + _NORMAL**2 / n
    centre = (share + _NORMAL**2 / (2 * n)) / scale
    half = _NORMAL * math.sqrt(share * (1 - share) / n + _NORMAL**2 / (4 * n * n)) / scale
    return LabelledAccuracy(
        photos=n, accuracy=share, low=max(0.0, centre - half), high=min(1.0, centre + half)
    )
