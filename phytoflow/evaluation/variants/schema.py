"""Results of the variants benchmark, as ``metrics.json`` holds them."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.metrics.bootstrap import Interval


class Variant(BaseModel):
    """A runtime, a precision and a kind of test-time augmentation, on test photos. Shares are in 0..1.

    Attributes:
        runtime: The runtime.
        precision: The precision of its arithmetic.
        tta: Test-time augmentation: ``none``, or the kind of views whose predictions are averaged.
        bytes: Size of the model's file.
        milliseconds: Median time from a photo's bytes to its probabilities, variants taking turns.
        accuracy: Accuracy on the test photos.
        macro_f1: Macro-F1 on the test photos.
        ece: Expected calibration error on the test photos.
        agreement: Share of photos given the same class as by the first variant.
        gains: ``accuracy``, ``macro_f1`` and ``ece`` minus those of the first variant (a lower ``ece`` is
            better).
        intervals: Confidence intervals of the gains; paired bootstrap over groups.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    runtime: str
    precision: str
    tta: str
    bytes: int
    milliseconds: float
    accuracy: float
    macro_f1: float
    ece: float
    agreement: float
    gains: dict[str, float]
    intervals: dict[str, Interval]


class Variants(BaseModel):
    """All variants that were measured.

    Attributes:
        photos: Number of test photos.
        confidence_level: Level of the intervals.
        tried: The first is the one the others are compared with.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: int
    confidence_level: float
    tried: tuple[Variant, ...]
