"""Selection of the linear probe's L2 penalty, by the loss on held-out photos."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from phytoflow.training.context import TrainingContext
from phytoflow.training.features.cache import CachedFeatures
from phytoflow.training.strategies.linear_probe import PENALTIES
from phytoflow.training.strategies.stages import FitSplit, Rows, fit_linear_probes


def penalty_by_folds(
    context: TrainingContext, features: CachedFeatures, folds: list[tuple[Rows, Rows]]
) -> float:
    """The penalty with the lowest loss over all folds; 0 for a dense head, which has no probe."""
    if context.model.head != "linear":
        return 0.0
    losses = [_losses(context, features, fitted, features, held_out) for fitted, held_out in folds]
    return PENALTIES[int(np.sum(losses, axis=0).argmin())]


def penalty_by_validation(context: TrainingContext, split: FitSplit) -> float:
    """The penalty with the lowest loss on the validation photos; 0 for a dense head, which has no probe."""
    if context.model.head != "linear" or split.held_out is None:
        return 0.0
    held_out = np.arange(len(split.held_out))
    return PENALTIES[int(_losses(context, split.features, split.rows, split.held_out, held_out).argmin())]


def _losses(
    context: TrainingContext,
    features: CachedFeatures,
    rows: Rows,
    evaluated: CachedFeatures,
    evaluated_rows: Rows,
) -> NDArray[np.float64]:
    """Summed loss of each penalty's probe, over the views that are evaluated."""
    probes = fit_linear_probes(context, features, rows, PENALTIES)
    labels = torch.from_numpy(evaluated.labels[evaluated_rows])
    losses = [
        [nn.functional.cross_entropy(p.logits(view[evaluated_rows]), labels, reduction="sum") for p in probes]
        for view in evaluated.pooled[: context.evaluated_views]
    ]
    return np.array(losses, np.float64).sum(axis=0)
