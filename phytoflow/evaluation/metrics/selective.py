"""If a person looks at the least sure answers, how much better is the rest?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.metrics.calibration import reliability

_POINTS = 101
_MOST_ASKED = 0.3  # of the photos: nobody keeps a model that asks more often


class Selective(BaseModel):
    """Risk and coverage (Geifman & El-Yaniv 2017): answers are kept from the surest on.

    What is called unknown is less sure than all else, whatever the probability: confidence misses mistakes
    on strange photos, which features tell (Xia & Bouganis 2022).

    Attributes:
        coverage: Shares of photos kept, rising to 1.
        error: Share of wrong answers among those kept at each coverage.
        area: Under that curve; 0 is flawless.
        ask_below: The confidence below which a person should look, as at all that is unknown: the rest then
            holds at most half the errors a photo has without asking. None where there was no mistake, or no
            confidence does that without asking about more than three photos in ten.
        asked: Share of photos below it or unknown.
        unknown: Share of photos called unknown.
        error_kept: Share of wrong answers among the others.
        ece_uncalibrated: Expected calibration error without the bundle's temperature.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    coverage: tuple[float, ...]
    error: tuple[float, ...]
    area: float
    ask_below: float | None
    asked: float
    error_kept: float
    ece_uncalibrated: float
    unknown: float = 0.0


def sureness(confidence: NDArray[np.float64], novelty: NDArray[np.float64] | None) -> NDArray[np.float64]:
    """What answers are ranked by, float64 [N]: the confidence, less one where a photo is unknown.

    Args:
        confidence: float64 [N], in 0..1.
        novelty: float64 [N], above 1 for a stranger; None where a bundle cannot tell.
    """
    return confidence if novelty is None else confidence - (novelty > 1)


def measure_selective(
    probabilities: NDArray[np.float64],
    labels: NDArray[np.int64],
    temperature: float,
    bins: int,
    novelty: NDArray[np.float64] | None = None,
) -> Selective:
    """Figures of answering only where it is sure enough.

    Args:
        probabilities: float64 [N, C], calibrated.
        labels: int64 [N].
        temperature: Of the calibration, which is taken back for ``ece_uncalibrated``.
        bins: Of the calibration error.
        novelty: float64 [N], above 1 for a stranger; None where the bundle cannot tell.
    """
    sure, wrong = sureness(probabilities.max(axis=1), novelty), probabilities.argmax(axis=1) != labels
    order = np.argsort(-sure, kind="stable")
    errors = np.cumsum(wrong[order]) / np.arange(1, len(order) + 1)
    ask = _ask_below(sure[order], errors)
    kept = np.ones(len(order), bool) if ask is None else sure >= ask
    at = np.unique(np.linspace(0, len(order) - 1, _POINTS).round().astype(int))
    raw = _uncalibrated(probabilities, temperature)
    return Selective(
        coverage=tuple(((at + 1) / len(order)).tolist()),
        error=tuple(errors[at].tolist()),
        area=float(errors.mean()),
        ask_below=ask,
        asked=float((~kept).mean()),
        error_kept=float(wrong[kept].mean()),
        ece_uncalibrated=reliability(raw.max(axis=1), raw.argmax(axis=1) == labels, bins).ece,
        unknown=0.0 if novelty is None else float((novelty > 1).mean()),
    )


def _ask_below(sure: NDArray[np.float64], errors: NDArray[np.float64]) -> float | None:
    """The lowest confidence that may be kept; equal confidences are kept or asked together."""
    last = np.append(sure[1:] < sure[:-1], True)
    good = np.nonzero(last & (sure > 0) & (errors <= errors[-1] / 2))[0]
    if errors[-1] == 0 or not len(good) or good[-1] + 1 < (1 - _MOST_ASKED) * len(errors):
        return None
    return float(sure[good[-1]])


def _uncalibrated(probabilities: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Softmax of the logits themselves: those of ``probabilities`` are known up to a constant a photo."""
    logits = temperature * np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)
