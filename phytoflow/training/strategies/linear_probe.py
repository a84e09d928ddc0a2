"""The linear probe: multinomial logistic regression on frozen features, the head's start.

The problem is convex: L-BFGS solves it exactly, and the strength of its L2 penalty is chosen on photos the
probe was not fitted on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

STRENGTHS = (0.02, 0.06, 0.2, 0.6)


@dataclass(frozen=True)
class Probe:
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
    strengths: Sequence[float] = STRENGTHS,
    iterations: int = 100,
) -> list[Probe]:
    """Fits one probe for each strength of the L2 penalty, each starting from the one before.

    Features are centred and divided by one common scale, so that a strength means the same whatever the
    backbone (dividing each by its own would raise the rare, noisy ones).

    Args:
        features: One array a view, float [N, D].
        labels: Class numbers [N].
        class_weights: Weight of each class in the loss, float [C].
        strengths: Penalties, of half the squared weights against the mean loss.
        iterations: Most L-BFGS iterations for each.

    Returns:
        Probes in the order of ``strengths``.
    """
    stacked = torch.from_numpy(np.concatenate(features)).double()
    mean = stacked.mean(0)
    scale = (stacked - mean).square().mean().sqrt().clamp_min(1e-6)
    inputs = ((stacked - mean) / scale).float()
    targets = torch.from_numpy(np.tile(labels, len(features)))
    weight = torch.zeros(len(class_weights), inputs.shape[1])
    bias = torch.zeros(len(class_weights))
    found: dict[float, Probe] = {}
    for strength in sorted(strengths, reverse=True):
        weight, bias = _solve(inputs, targets, class_weights, strength, iterations, (weight, bias))
        raw = weight.double() / scale
        found[strength] = Probe(raw.float(), (bias.double() - raw @ mean).float())
    return [found[strength] for strength in strengths]


def _solve(
    inputs: Tensor,
    targets: Tensor,
    class_weights: Tensor,
    strength: float,
    iterations: int,
    start: tuple[Tensor, Tensor],
) -> tuple[Tensor, Tensor]:
    weight, bias = (value.clone().requires_grad_() for value in start)
    optimiser = torch.optim.LBFGS(
        [weight, bias], max_iter=iterations, tolerance_grad=1e-5, line_search_fn="strong_wolfe"
    )

    def loss() -> Tensor:
        optimiser.zero_grad()
        fit = F.cross_entropy(inputs @ weight.T + bias, targets, weight=class_weights)
        total = fit + strength / 2 * weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(loss)  # type: ignore[no-untyped-call]
    return weight.detach(), bias.detach()
