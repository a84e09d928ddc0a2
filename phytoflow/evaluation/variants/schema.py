"""What one way to serve a bundle costs and brings: a part of ``metrics.json``."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from phytoflow.evaluation.metrics.bootstrap import Interval


class Way(BaseModel):
    """A runtime, a precision and views of the photo, on test photos; shares are in 0..1.

    Attributes:
        runtime: What ran the model.
        precision: Of its arithmetic.
        tta: ``none``, or the views whose answers are averaged.
        bytes: Size of the model's file.
        milliseconds: Median from a photo's bytes to its probabilities; the ways took turns.
        accuracy: On the photos asked.
        macro_f1: Likewise.
        ece: Likewise.
        agreement: Share of photos given the first way's class.
        gains: What it has more than the first way: ``accuracy``, ``macro_f1`` and ``ece`` (where less is
            better).
        intervals: Of the gains; paired bootstrap over groups.
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


class Ways(BaseModel):
    """Every way that was tried.

    Attributes:
        photos: Test photos asked.
        confidence: Of the intervals.
        tried: The first is what the others are held against.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    photos: int
    confidence: float
    tried: tuple[Way, ...]
