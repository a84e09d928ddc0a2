"""What training says of the model it made."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Candidate(BaseModel):
    """A model that could have been chosen, on photos it was not fitted on.

    Attributes:
        share: How far the weights lie from the first stage's (0) to the second's (1).
        loss: Mean negative log-likelihood at its best temperature.
        loss_error: Standard error of the difference to the first stage's loss, over groups of photos.
        macro_f1: Macro-F1.
        f1_error: Standard error of such a score on so many photos.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    share: float
    loss: float
    loss_error: float
    macro_f1: float
    f1_error: float = 0.0


class TrainingSummary(BaseModel):
    """Part of ``model.json``.

    Attributes:
        run_id: Of the tracker; later steps add their figures to the same run.
        stage_chosen: ``head`` (the first stage), ``tail`` (the second), ``between`` (weights between the
            two) or ``whole`` (end to end).
        share: How far between the two.
        evidence: Every candidate's figures.
        evidence_from: What the figures were measured on, in words.
        temperature: Logits are divided by this before softmax; fitted on the same photos.
        strength: L2 penalty of the linear probe; 0 where there was none.
        trained_on: Splits the final weights have seen.
        seconds: Wall-clock time by part.
        cpu_seconds: Processor time of this process.
    """

    model_config = ConfigDict(extra="forbid", protected_namespaces=())

    model: dict[str, Any]
    training: dict[str, Any]
    backbone: str
    head: str
    seed: int
    data_hash: str
    fingerprint: str
    run_id: str
    stage_chosen: Literal["head", "tail", "between", "whole"]
    share: float
    evidence: list[Candidate]
    evidence_from: str
    temperature: float = Field(gt=0)
    strength: float
    trained_on: tuple[str, ...]
    photos: dict[str, int]
    validation: dict[str, float]
    device: str
    seconds: dict[str, float]
    cpu_seconds: float
