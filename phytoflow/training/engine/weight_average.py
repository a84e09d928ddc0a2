"""The moving average of a network's weights."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from phytoflow.training.distributed.sharding import local_parts


def update_average(decay: float) -> Callable[[Sequence[Tensor], Sequence[Tensor], Any], None]:
    """The update of an exponential moving average whose decay grows with the steps made.

    Early on a full decay would keep mostly the start. All weights are updated in one call: the number of
    steps is on the device, and each read of it would make the CPU wait for a GPU.
    """

    def update(averages: Sequence[Tensor], weights: Sequence[Tensor], steps: Any) -> None:
        current_decay = min(decay, (1 + int(steps)) / (10 + int(steps)))
        for average, weight in zip(local_parts(averages), local_parts(weights), strict=True):
            average.copy_(torch.lerp(weight, average, current_decay))

    return update
