"""Batch norms that learn from the whole batch, although each process has a part of it.

torch's own SyncBatchNorm needs GPUs. This one works wherever the group does, and keeps layers and names.
"""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from phytoflow.errors import ConfigError

_AFTER = ("drop", "act")  # layers that timm's batch norms apply to what they return


def synchronise_batch_norms(network: nn.Module, counts: Callable[[], bool]) -> None:
    """Makes every batch norm of a network use the mean and variance over all processes; in place.

    Args:
        network: The network that is trained.
        counts: Whether this process's inputs count: those of an empty part of a batch do not.

    Raises:
        ConfigError: A layer is a batch norm of a kind that is not known here.
    """
    for name, layer in network.named_modules():
        if not isinstance(layer, _BatchNorm):
            continue
        known = type(layer).forward is _BatchNorm.forward or hasattr(layer, "act")
        if not known or layer.weight is None or layer.running_mean is None or layer.momentum is None:
            raise ConfigError(
                f"several processes cannot train the batch norm {name} ({type(layer).__name__}) together",
                remedy="set training.devices=1, or choose another backbone",
            )
        forward = MethodType(_forwarder(type(layer).forward, counts), layer)
        layer.forward = forward  # type: ignore[method-assign]


def _forwarder(alone: Callable[[Any, Tensor], Tensor], counts: Callable[[], bool]) -> Any:
    def forward(layer: Any, inputs: Tensor) -> Tensor:
        if not layer.training:
            return alone(layer, inputs)
        outputs = _normalise(layer, inputs, counts=counts())
        for name in _AFTER:
            outputs = getattr(layer, name)(outputs) if hasattr(layer, name) else outputs
        return outputs

    return forward


def _normalise(layer: Any, inputs: Tensor, *, counts: bool) -> Tensor:
    """Normalises [N, C, ...] by the statistics of all processes, and updates the running ones."""
    axes = [axis for axis in range(inputs.ndim) if axis != 1]
    values = inputs.float() * float(counts)
    number = torch.full((1,), counts * inputs.numel() / inputs.shape[1], device=inputs.device)
    sums = _SumOverProcesses.apply(torch.cat([values.sum(axes), number]))
    total = sums[-1].detach()
    mean = sums[:-1] / total
    shape = [1, -1] + [1] * (inputs.ndim - 2)
    # Differences from the mean, not of squares: those lose digits where the mean is large.
    differences = (inputs.float() - mean.view(shape)) * float(counts)
    variance = _SumOverProcesses.apply(differences.square().sum(axes)) / total
    with torch.no_grad():
        layer.num_batches_tracked.add_(1)
        layer.running_mean.lerp_(mean, layer.momentum)
        layer.running_var.lerp_(variance * total / (total - 1).clamp_min(1), layer.momentum)
    scale = layer.weight * torch.rsqrt(variance + layer.eps)
    return torch.addcmul((layer.bias - mean * scale).view(shape), inputs.float(), scale.view(shape)).to(
        inputs.dtype
    )


class _SumOverProcesses(torch.autograd.Function):
    """The sum over all processes; each process's loss depends on it, so gradients are summed, too."""

    @staticmethod
    def forward(_: Any, value: Tensor) -> Tensor:
        total = value.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:
        total = gradient.contiguous().clone()
        dist.all_reduce(total)
        return total
