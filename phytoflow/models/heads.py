"""Classification heads on pooled features."""

from __future__ import annotations

from torch import nn

from phytoflow.models.settings import ModelSettings

HIDDEN = 256  # units of the dense layer


def create_head(settings: ModelSettings, features: int, classes: int) -> nn.Module:
    """Creates the head of the settings.

    Args:
        settings: ``head`` is ``linear``, or ``mlp``: batch norm, dense 256, ReLU, dropout, dense. The pooling
            before it belongs to the backbone.
        features: Number of pooled features.
        classes: Number of classes.

    Returns:
        A module that maps float [N, features] to logits [N, classes].
    """
    if settings.head == "linear":
        return nn.Linear(features, classes)
    return nn.Sequential(
        nn.BatchNorm1d(features),
        nn.Linear(features, HIDDEN),
        nn.ReLU(),
        nn.Dropout(settings.dropout),
        nn.Linear(HIDDEN, classes),
    )
