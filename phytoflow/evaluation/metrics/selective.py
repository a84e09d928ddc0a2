"""Selective prediction: how much better the answers get if a person decides the least certain photos."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.metrics.calibration import bin_by_confidence

_POINTS = 101  # of the curve; enough for a chart
_MAX_REJECTION_RATE = 0.3  # deferring more photos than that to a person is impractical


class RiskCoverage(BaseModel):
    """Risk-coverage curve and a rejection threshold (Geifman & El-Yaniv 2017).

    Photos are ranked by confidence. A photo that the bundle calls unknown ranks below all others, whatever
    its probability: confidence alone misses mistakes on unfamiliar photos, which features reveal (Xia &
    Bouganis 2022).

    Attributes:
        coverage: Shares of photos answered, rising to 1.
        error: Selective risk at each coverage: the share of wrong answers among those photos.
        aurc: Area under the risk-coverage curve; 0 is perfect.
        reject_below: Confidence below which a photo should be deferred to a person; unknown photos always
            are. The lowest threshold at which the remaining answers have at most half the error rate of all
            answers. None if there was no mistake, or if no threshold achieves that without deferring more
            than 30% of the photos.
        rejection_rate: Share of photos below the threshold, or unknown.
        selective_risk: Share of wrong answers among the other photos.
        ece_uncalibrated: Expected calibration error without the bundle's temperature.
        unknown: Share of photos called unknown.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    coverage: tuple[float, ...]
    error: tuple[float, ...]
    aurc: float
    reject_below: float | None
    rejection_rate: float
    selective_risk: float
    ece_uncalibrated: float
    unknown: float = 0.0


def ranking_confidence(
    confidence: NDArray[np.float64], novelty: NDArray[np.float64] | None
) -> NDArray[np.float64]:
    """The confidence by which photos are ranked, float64 [N]; reduced by 1 for unknown photos.

    Args:
        confidence: float64 [N], 0..1.
        novelty: float64 [N], above 1 for unknown photos; None if the bundle has no OOD statistics.
    """
    return confidence if novelty is None else confidence - (novelty > 1)


def measure_risk_coverage(
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int64],
    *,
    temperature: float,
    bins: int,
    novelty: NDArray[np.float64] | None = None,
) -> RiskCoverage:
    """Measures what deferring uncertain photos would bring.

    Args:
        probabilities: float64 [N, C], calibrated.
        labels: int64 [N].
        temperature: The bundle's calibration temperature, undone for ``ece_uncalibrated``.
        bins: Number of bins of the calibration error.
        novelty: float64 [N], above 1 for unknown photos; None if the bundle has no OOD statistics.
    """
    ranking = ranking_confidence(probabilities.max(axis=1), novelty)
    wrong = probabilities.argmax(axis=1) != labels
    order = np.argsort(-ranking, kind="stable")
    errors = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    threshold = _rejection_threshold(ranking[order], errors)
    accepted = np.ones(len(order), bool) if threshold is None else ranking >= threshold
    points = np.unique(np.linspace(0, len(order) - 1, _POINTS).round().astype(int))
    raw = _uncalibrated(probabilities, temperature)
    return RiskCoverage(
        coverage=tuple(((points + 1) / len(order)).tolist()),
        error=tuple(errors[points].tolist()),
        aurc=float(errors.mean()),
        reject_below=threshold,
        rejection_rate=float((~accepted).mean()),
        selective_risk=float(wrong[accepted].mean()),
        ece_uncalibrated=bin_by_confidence(raw.max(axis=1), raw.argmax(axis=1) == labels, bins).ece,
        unknown=0.0 if novelty is None else float((novelty > 1).mean()),
    )


def _rejection_threshold(ranking: NDArray[np.float64], errors: NDArray[np.float64]) -> float | None:
    """The lowest confidence that is still accepted; equal confidences are never separated."""
    last_of_equals = np.append(ranking[1:] < ranking[:-1], True)
    candidates = np.nonzero(last_of_equals & (ranking > 0) & (errors <= errors[-1] / 2))[0]
    if errors[-1] == 0 or not len(candidates):
        return None
    if candidates[-1] + 1 < (1 - _MAX_REJECTION_RATE) * len(errors):
        return None
    return float(ranking[candidates[-1]])


def _uncalibrated(probabilities: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Probabilities before temperature scaling.

    Logits follow from probabilities up to a constant per photo, which softmax does not depend on.
    """
    logits = temperature * np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)
