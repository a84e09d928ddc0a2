"""The network as it is served: logits, and beside them what tells strangers and what explains an answer."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from phytoflow.models.network import PhotoClassifier

_POOLS = (nn.Flatten, nn.AdaptiveAvgPool2d)


class Served(nn.Module):
    """Photos to (logits, features[, evidence]); see ``phytoflow.inference.runtimes.factory.Outputs``.

    Features are averages from half-way through the frozen trunk, from its end, and the pooled ones behind,
    each at length one: what is frozen has not learnt to look past what the classes have in common, and so
    tells what is no leaf at all (layers together: Lee et al. 2018); the last tell the classes apart.

    Evidence is Grad-CAM (Selvaraju et al. 2017) to the factor, before its negative parts are cut off. For a
    linear head on averaged maps that is the class activation map (Zhou et al. 2016): its mean over the
    places, with the bias, is the logit. The dense head is linear but for which of its units are on: its
    gradient is written out, so that it needs no backward pass where it serves. Other networks have none.

    Args:
        model: In evaluation mode; shared, not copied.
        cut: How many of the body's parts are the frozen trunk.
    """

    def __init__(self, model: PhotoClassifier, cut: int) -> None:
        super().__init__()
        parts = list(model.body)
        half = max(1, cut // 2)
        self.first, self.second = nn.Sequential(*parts[:half]), nn.Sequential(*parts[half:cut])
        self.tail = nn.Sequential(*parts[cut:-1])
        self.maps, self.pool = _split(parts[-1])
        self.head = model.head
        self.head_inputs = model.feature_count
        self.explains = isinstance(model.head, nn.Linear) or is_dense_head(model.head)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Float [N, 3, H, W] to float [N, C], [N, D] and perhaps [N, C, h, w]."""
        early = self.first(x)
        middle = self.second(early)
        maps = self.maps(self.tail(middle))
        pooled = self.pool(maps)
        features = [_averaged(early), _averaged(middle), pooled]
        found = (self.head(pooled), torch.cat([F.normalize(part) for part in features], dim=1))
        if not self.explains or maps.ndim != 4 or maps.shape[-1] == 1:
            return found
        return (*found, self._evidence(maps, pooled))

    def _evidence(self, maps: Tensor, pooled: Tensor) -> Tensor:
        """Maps [N, K, h, w] and their means [N, K] to [N, C, h, w]."""
        if isinstance(self.head, nn.Linear):
            return F.conv2d(maps, self.head.weight[:, :, None, None])
        gradient = dense_gradient(self.head, pooled)
        return (gradient @ maps.flatten(2)).reshape(maps.shape[0], -1, *maps.shape[2:])


def is_dense_head(head: nn.Module) -> bool:
    """Whether it is batch norm, dense, ReLU, dropout, dense: the head called ``mlp``."""
    kinds = (nn.BatchNorm1d, nn.Linear, nn.ReLU, nn.Dropout, nn.Linear)
    parts = list(head.children())
    return len(parts) == len(kinds) and all(map(isinstance, parts, kinds))


def dense_gradient(head: nn.Module, pooled: Tensor) -> Tensor:
    """Derivative of each logit by each pooled feature, [N, K] to [N, C, K]; in evaluation mode."""
    parts: list[Any] = list(head.children())
    norm, first, last = parts[0], parts[1], parts[4]
    on = (first(norm(pooled)) > 0).to(pooled.dtype)
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    gradient: Tensor = (last.weight[None] * on[:, None]) @ (first.weight * scale)
    return gradient


def _split(final: nn.Module) -> tuple[nn.Sequential, nn.Sequential]:
    """The body's last part as what gives maps, and what averages them."""
    parts = list(final.children()) if isinstance(final, nn.Sequential) else [final]
    at = len(parts)
    while at and _is_pool(parts[at - 1]):
        at -= 1
    return nn.Sequential(*parts[:at]), nn.Sequential(*parts[at:])


def _is_pool(part: nn.Module) -> bool:
    return isinstance(part, _POOLS) or type(part).__name__ == "SelectAdaptivePool2d"


def _averaged(activations: Tensor) -> Tensor:
    """Maps [N, C, H, W] or tokens [N, T, D] to their mean over places."""
    return activations.flatten(2).mean(2) if activations.ndim == 4 else activations.mean(1)
