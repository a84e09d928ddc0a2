"""What fine-tuning trains of the last blocks: all weights, biases, or low-rank changes of weights.

Low-rank changes are parametrizations of torch. They exist only while a network is trained: ``merge`` adds
them to the weights, and the network has the layers and names that it had before.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from phytoflow.training.settings import TrainingSettings

_LORA_SCALE = 2.0  # alpha / rank, as most who publish LoRA fine-tuning set it
_GROUPS = 2  # of the adapter's second matrix, as in its paper
_BATCH_NORM = nn.modules.batchnorm._BatchNorm


class LowRankUpdate(nn.Module):
    """Adds a matrix of low rank to a weight: LoRA (Hu 2022).

    Args:
        weight: The frozen weight, float [O, I, ...]; the axes after the first are one.
        rank: Rank of the change.
    """

    def __init__(self, weight: Tensor, rank: int) -> None:
        super().__init__()
        outputs, inputs = weight.shape[0], weight[0].numel()
        self.down = nn.Parameter(_uniform(rank, inputs))
        self.up = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, weight: Tensor) -> Tensor:
        """The changed weight, of the same shape."""
        return weight + _LORA_SCALE * (self.up @ self.down).view_as(weight)


class LinearAdapter(nn.Module):
    """A bottleneck of two linear layers before a layer, with a bypass: RepAdapter (Luo 2023).

    Without a nonlinearity it is a factor of the layer's weight, W (1 + U D). D reads all channels; U is block
    diagonal, which halves its parameters. Its biases are left out: the layers' own are enough.

    Args:
        weight: The frozen weight, float [O, I, ...].
        width: Width of the bottleneck.
    """

    def __init__(self, weight: Tensor, width: int) -> None:
        super().__init__()
        inputs = weight.shape[1]
        groups = _GROUPS if inputs % _GROUPS == 0 == width % _GROUPS else 1
        self.down = nn.Parameter(_uniform(width, inputs))
        self.up = nn.Parameter(torch.zeros(groups, inputs // groups, width // groups))

    def forward(self, weight: Tensor) -> Tensor:
        """The weight of adapter and layer as one, of the same shape."""
        factor = torch.block_diag(*self.up) @ self.down  # type: ignore[no-untyped-call]  # [I, I]
        return weight + torch.einsum("oi...,ij->oj...", weight, factor)


def restrict_training(network: nn.Sequential, training: TrainingSettings) -> None:
    """Freezes what the strategy does not train, and adds the matrices that it trains instead.

    The head is always trained.

    Args:
        network: Tail and head; changed in place.
        training: Names the strategy.
    """
    tail, _ = network.children()
    if training.strategy == "partial":
        if not training.train_depthwise:
            freeze_depthwise(network)
        return
    tail.requires_grad_(False)
    if training.strategy == "bitfit":
        _train_biases(tail)
    else:
        _add_low_rank(tail, LowRankUpdate if training.strategy == "lora" else LinearAdapter, training.rank)


def freeze_depthwise(network: nn.Module) -> None:
    """Freezes depthwise filters: few weights, but a third of the time of a step on CPUs."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.groups == layer.in_channels > 1:
            layer.weight.requires_grad_(False)


def merge(network: nn.Module) -> None:
    """Adds low-rank changes to the weights, in place; networks without any stay as they are."""
    for layer in list(network.modules()):
        if parametrize.is_parametrized(layer):
            parametrize.remove_parametrizations(layer, "weight", leave_parametrized=True)


def count_trained(network: nn.Module) -> int:
    """Number of parameters that are trained."""
    return sum(parameter.numel() for parameter in network.parameters() if parameter.requires_grad)


def _train_biases(tail: nn.Module) -> None:
    """BitFit (Ben Zaken 2022).

    Convolutional networks have their biases in batch norms, whose scales are trained too (Frankle 2021).
    """
    for name, parameter in tail.named_parameters():
        parameter.requires_grad_(name.rpartition(".")[2] == "bias")
    for layer in tail.modules():
        if isinstance(layer, _BATCH_NORM):
            layer.weight.requires_grad_(True)


def _add_low_rank(tail: nn.Module, kind: type[LowRankUpdate] | type[LinearAdapter], rank: int) -> None:
    """Adds the matrices to every dense layer and every convolution that is not grouped."""
    for layer in list(tail.modules()):
        if isinstance(layer, nn.Linear) or (isinstance(layer, nn.Conv2d) and layer.groups == 1):
            change = kind(layer.weight, rank).to(layer.weight.device)
            parametrize.register_parametrization(layer, "weight", change)


def _uniform(rows: int, columns: int) -> Tensor:
    """A random matrix whose product with features of unit scale has entries of about that scale."""
    matrix = torch.empty(rows, columns)
    nn.init.kaiming_uniform_(matrix, a=math.sqrt(5))
    return matrix
