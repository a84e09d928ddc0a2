"""What a strategy returns."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor, nn

from phytoflow.training.summary import InterpolationCandidate


@dataclass(frozen=True)
class Outcome:
    """The selected network, and why it was selected.

    Attributes:
        network: Tail and head, or the whole network after end-to-end training.
        chosen: The selected candidate.
        candidates: All candidates.
        selected_on: What they were evaluated on, in words.
        logits: The selected candidate's logits for the photos it was evaluated on, [N, C].
        labels: Labels of these photos, int64 [N].
        l2_penalty: Penalty of the linear probe; 0 without one.
        trained_on: Splits that the network was fitted on.
    """

    network: nn.Module
    chosen: InterpolationCandidate
    candidates: list[InterpolationCandidate]
    selected_on: str
    logits: Tensor
    labels: Tensor
    l2_penalty: float
    trained_on: tuple[str, ...]
