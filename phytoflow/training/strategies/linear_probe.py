"""The linear probe: multinomial logistic regression on frozen features, from which the head starts.

The problem is convex: L-BFGS solves it exactly. The L2 penalty is selected on photos that the probe was not
fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from phytoflow.errors import WeightsError

PENALTIES = (0.02, 0.06, 0.2, 0.6)  # three to each factor of ten: the loss is flat in between
_GRADIENT_TOLERANCE = 1e-5


@dataclass(frozen=True)
class LinearProbe:
    """A linear classifier on pooled features.

    Attributes:
        weight: float32 [C, D].
        bias: float32 [C].
    """

    weight: Tensor
    bias: Tensor

    def logits(self, features: NDArray[np.float32]) -> Tensor:
        """Features [N, D] to logits [N, C]."""
        return torch.from_numpy(features) @ self.weight.T + self.bias


def fit_probes(
    features: Sequence[NDArray[np.float32]],
    labels: NDArray[np.int64],
    class_weights: Tensor,
    penalties: Sequence[float] = PENALTIES,
    iterations: int = 100,
) -> list[LinearProbe]:
    """Fits one probe for each L2 penalty; each starts from the one before.

    Features are centred and divided by one common scale, so that a penalty means the same for every backbone.
    Dividing each feature by its own scale would amplify rare, noisy ones.

    Args:
        features: One array for each view, float [N, D].
        labels: Class numbers [N].
        class_weights: Weight of each class in the loss, float [C].
        penalties: Penalties on half the squared weights, relative to the mean loss.
        iterations: Maximum number of L-BFGS iterations for each.

    Returns:
        Probes in the order of ``penalties``.

    Raises:
        WeightsError: A feature is infinite or not a number.
    """
    stacked = torch.from_numpy(np.concatenate(features)).double()
    if not stacked.isfinite().all():
        # They are cached as float16, which ends at 65,504; pretrained weights stay far below.
        what = "the backbone gives features that are infinite or beyond the range of half precision"
        raise WeightsError(what, remedy="use pretrained weights, or another model.backbone")
    mean = stacked.mean(0)
    scale = (stacked - mean).square().mean().sqrt().clamp_min(1e-6)
    inputs = ((stacked - mean) / scale).float()
    targets = torch.from_numpy(np.tile(labels, len(features)))
    weight = torch.zeros(len(class_weights), inputs.shape[1])
    bias = torch.zeros(len(class_weights))
    probes: dict[float, LinearProbe] = {}
    for penalty in sorted(penalties, reverse=True):
        weight, bias = _solve(inputs, targets, class_weights, penalty, iterations, (weight, bias))
        unscaled = weight.double() / scale
        probes[penalty] = LinearProbe(unscaled.float(), (bias.double() - unscaled @ mean).float())
    return [probes[penalty] for penalty in penalties]


def _solve(
    inputs: Tensor,
    targets: Tensor,
    class_weights: Tensor,
    penalty: float,
    iterations: int,
    start: tuple[Tensor, Tensor],
) -> tuple[Tensor, Tensor]:
    weight, bias = (value.clone().requires_grad_() for value in start)
    optimizer = torch.optim.LBFGS(
        [weight, bias],
        max_iter=iterations,
        tolerance_grad=_GRADIENT_TOLERANCE,
        line_search_fn="strong_wolfe",
    )

    def evaluate_loss() -> Tensor:
        optimizer.zero_grad()
        loss = F.cross_entropy(inputs @ weight.T + bias, targets, weight=class_weights)
        total = loss + penalty / 2 * weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimizer.step(evaluate_loss)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()
