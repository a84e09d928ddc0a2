"""Settings of one fit."""

from __future__ import annotations

from dataclasses import dataclass

from phytoflow.training.settings import TrainingSettings


@dataclass(frozen=True)
class FitSettings:
    """Settings of one fit.

    Attributes:
        training: What all fits of a training share.
        learning_rate: Peak learning rate.
        epochs: Maximum number of epochs.
        learn_norms: Whether batch norms update their statistics; frozen ones cannot drift on small sets.
        patience: Epochs without a lower validation loss before the fit stops; 0: it never stops early.
        mix: Whether the settings' MixUp and CutMix are applied.
    """

    training: TrainingSettings
    learning_rate: float
    epochs: int
    learn_norms: bool
    patience: int
    mix: bool = True
