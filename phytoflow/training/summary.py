"""The summary of a training, recorded in ``model.json``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Stage = Literal["head", "finetuned", "interpolated", "end_to_end"]


class InterpolationCandidate(BaseModel):
    """A model on the line between the first and the second stage, evaluated on photos it was not fitted on.

    Attributes:
        alpha: Position of its weights: 0 is the first stage, 1 the second (WiSE-FT, Wortsman 2022).
        loss: Mean negative log-likelihood at its best temperature.
        loss_error: Standard error of the difference from the first stage's loss, over groups of photos.
        macro_f1: Macro-F1.
        macro_f1_error: Standard error of such a score on so many photos.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    alpha: float
    loss: float
    loss_error: float
    macro_f1: float
    macro_f1_error: float = 0.0


class TrainingSummary(BaseModel):
    """The summary of a training.

    Attributes:
        model: Settings of the network.
        training: Settings of the training.
        backbone: Name of the backbone.
        head: Kind of head.
        seed: Seed of the training.
        data_hash: Hash of the dataset.
        fingerprint: Key of data, settings, seed and code.
        run_id: The tracker's run; later steps add to it.
        stage_chosen: ``head`` (first stage), ``finetuned`` (second stage), ``interpolated`` (weights between
            the two) or ``end_to_end``.
        alpha: Position between the two stages, 0 to 1.
        candidates: All models that were compared.
        selected_on: What they were compared on, in words.
        temperature: Logits are divided by it before softmax; fitted on the same photos.
        l2_penalty: Penalty of the linear probe; 0 without one.
        trained_on: Splits that the final weights were fitted on.
        photos: Number of photos in each split.
        validation: Loss, macro-F1 and accuracy of the chosen model on the photos it was selected on.
        device: Where it was trained.
        seconds: Wall-clock time of each part.
        cpu_seconds: Processor time of the process.
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
    stage_chosen: Stage
    alpha: float
    candidates: list[InterpolationCandidate]
    selected_on: str
    temperature: float = Field(gt=0)
    l2_penalty: float
    trained_on: tuple[str, ...]
    photos: dict[str, int]
    validation: dict[str, float]
    device: str
    seconds: dict[str, float]
    cpu_seconds: float
