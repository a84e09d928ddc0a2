"""The optimizer of a fit, and the schedule of its learning rate."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from phytoflow.training.engine.fit_settings import FitSettings

_WARM_UP = 0.2  # of all steps: pretrained layers are damaged by full steps while the head is still poor
_PLATEAU_FACTOR, _PLATEAU_PATIENCE = 0.3, 1  # of the plateau schedule


def create_optimizer(network: nn.Module, settings: FitSettings, steps: int, monitor: str) -> dict[str, Any]:
    """AdamW (Loshchilov & Hutter 2019) with the schedule of the settings, as Lightning takes them.

    Args:
        network: Its weights that require gradients are trained.
        settings: Settings of the fit.
        steps: Number of steps of the whole fit.
        monitor: Name of the loss that the plateau schedule watches.
    """
    training = settings.training
    learning = [weight for weight in network.parameters() if weight.requires_grad]
    optimizer = torch.optim.AdamW(learning, settings.learning_rate, weight_decay=training.weight_decay)
    if training.schedule == "plateau":
        plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
            optimizer, factor=_PLATEAU_FACTOR, patience=_PLATEAU_PATIENCE
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": plateau, "monitor": monitor}}
    assert steps > 0, "an epoch's number of batches must be known"
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, rate_factor(training.schedule, steps))
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def rate_factor(schedule: str, steps: int) -> Callable[[int], float]:
    """Factor of the learning rate: linear warm-up, then half a cosine to 0 (Loshchilov 2017) or constant."""

    def factor(step: int) -> float:
        warm_up = min(1.0, (step + 1) / (_WARM_UP * steps + 1))
        if schedule != "cosine":
            return warm_up
        return warm_up * 0.5 * (1 + float(np.cos(np.pi * min(1.0, step / max(1, steps)))))

    return factor
