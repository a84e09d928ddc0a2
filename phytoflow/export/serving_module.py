"""The network as it is served: logits, features for OOD detection, and evidence for explanations."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from phytoflow.models.network import PhotoClassifier

_POOLS = (nn.Flatten, nn.AdaptiveAvgPool2d)


class ServingModule(nn.Module):
    """Maps photos to (logits, features[, evidence]); see ``phytoflow.inference.runtimes.base.Outputs``.

    Features are spatial means from the middle and the end of the frozen trunk, and the pooled features after
    the tail, each scaled to unit length (several layers together: Lee et al. 2018). Frozen layers have not
    learnt to ignore what all classes have in common, and so recognise what is no leaf at all; the last layers
    separate the classes.

    Evidence is Grad-CAM (Selvaraju et al. 2017) up to a factor, before its negative parts are cut off. For a
    linear head on averaged maps it is the class activation map (Zhou et al. 2016): its spatial mean plus the
    bias is the logit. A dense head is piecewise linear: its gradient is written out, so that serving needs no
    backward pass. Other networks give no evidence.

    Args:
        model: In evaluation mode; shared, not copied.
        cut: How many parts of the body are the frozen trunk.
    """

    def __init__(self, model: PhotoClassifier, cut: int) -> None:
        super().__init__()
        parts = list(model.body)
        half = max(1, cut // 2)
        self.first, self.second = nn.Sequential(*parts[:half]), nn.Sequential(*parts[half:cut])
        self.tail = nn.Sequential(*parts[cut:-1])
        self.maps, self.pool = _split_pooling(parts[-1])
        self.head = model.head
        self.head_inputs = model.feature_count
        self.explains = isinstance(model.head, nn.Linear) or is_dense_head(model.head)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Float [N, 3, H, W] to float [N, C], [N, D] and perhaps [N, C, h, w]."""
        early = self.first(x)
        middle = self.second(early)
        maps = self.maps(self.tail(middle))
        pooled = self.pool(maps)
        features = [_spatial_mean(early), _spatial_mean(middle), pooled]
        outputs = (self.head(pooled), torch.cat([F.normalize(part) for part in features], dim=1))
        if not self.explains or maps.ndim != 4 or maps.shape[-1] == 1:
            return outputs
        return (*outputs, self._evidence(maps, pooled))

    def _evidence(self, maps: Tensor, pooled: Tensor) -> Tensor:
        """Maps [N, K, h, w] and their means [N, K] to [N, C, h, w]."""
        if isinstance(self.head, nn.Linear):
            return F.conv2d(maps, self.head.weight[:, :, None, None])
        gradient = dense_gradient(self.head, pooled)
        return (gradient @ maps.flatten(2)).reshape(maps.shape[0], -1, *maps.shape[2:])


def is_dense_head(head: nn.Module) -> bool:
    """Whether it is the head called ``mlp``: batch norm, dense, ReLU, dropout, dense."""
    kinds = (nn.BatchNorm1d, nn.Linear, nn.ReLU, nn.Dropout, nn.Linear)
    parts = list(head.children())
    return len(parts) == len(kinds) and all(map(isinstance, parts, kinds))


def dense_gradient(head: nn.Module, pooled: Tensor) -> Tensor:
    """Derivative of each logit by each pooled feature, [N, K] to [N, C, K]; in evaluation mode."""
    parts: list[Any] = list(head.children())
    norm, first, last = parts[0], parts[1], parts[4]
    active = (first(norm(pooled)) > 0).to(pooled.dtype)
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    gradient: Tensor = (last.weight[None] * active[:, None]) @ (first.weight * scale)
    return gradient


def _split_pooling(final: nn.Module) -> tuple[nn.Sequential, nn.Sequential]:
    """Splits the body's last part into what gives maps and the pooling after it."""
    parts = list(final.children()) if isinstance(final, nn.Sequential) else [final]
    at = len(parts)
    while at and _is_pooling(parts[at - 1]):
        at -= 1
    return nn.Sequential(*parts[:at]), nn.Sequential(*parts[at:])


def _is_pooling(part: nn.Module) -> bool:
    return isinstance(part, _POOLS) or type(part).__name__ == "SelectAdaptivePool2d"


def _spatial_mean(activations: Tensor) -> Tensor:
    """Mean of maps [N, C, H, W] or tokens [N, T, D] over their places."""
    return activations.flatten(2).mean(2) if activations.ndim == 4 else activations.mean(1)
