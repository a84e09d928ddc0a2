"""Which trial is the best, and which one had the starting settings."""

from __future__ import annotations

from collections.abc import Sequence

from optuna.trial import FrozenTrial, TrialState

from phytoflow.errors import ConfigError

START, EXCESS, MACRO_F1 = "start", "excess", "macro_f1"
"""Attributes of a trial: whether it has the starting settings, excess of cost, macro-F1."""


def loss_of(trial: FrozenTrial) -> float:
    """The loss on held-out photos of a trial that is complete."""
    return float(trial.values[0])


def complete_trials(trials: Sequence[FrozenTrial]) -> list[FrozenTrial]:
    """The trials that were trained to the end."""
    return [trial for trial in trials if trial.state == TrialState.COMPLETE]


def find_start(trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """The complete trial of the starting settings; None while it is not."""
    return next((trial for trial in complete_trials(trials) if trial.user_attrs.get(START)), None)


def choose_best(trials: Sequence[FrozenTrial]) -> FrozenTrial:
    """The trial with the lowest loss among those within the limits of cost.

    Trials whose macro-F1 is below that of the starting settings do not count.

    Raises:
        ConfigError: No complete trial is within the limits.
    """
    within = [trial for trial in complete_trials(trials) if is_within_limits(trial)]
    if not within:
        remedy = "allow a higher cost, or vary the network, e.g. --vary 'model.image_size=[128, 160]'"
        raise ConfigError("no trial is within the limits of latency and size", remedy=remedy)
    start = find_start(within)
    lowest = start.user_attrs[MACRO_F1] if start else 0.0
    return min((trial for trial in within if trial.user_attrs[MACRO_F1] >= lowest), key=loss_of)


def is_within_limits(trial: FrozenTrial) -> bool:
    """Whether a trial's network costs no more than is allowed."""
    return max(trial.user_attrs.get(EXCESS, (0.0,))) <= 0
