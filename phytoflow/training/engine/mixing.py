"""Mixing of photos, or of their activations, within a batch."""

from __future__ import annotations

from torch import Tensor, nn
from torchvision.transforms import v2  # type: ignore[import-untyped]

from phytoflow.training.engine.fit_settings import FitSettings


def create_mixing(settings: FitSettings, classes: int) -> nn.Module | None:
    """MixUp (Zhang 2018), CutMix (Yun 2019), one of the two at random, or None."""
    training, transforms = settings.training, list[nn.Module]()
    if settings.mix and training.mixup:
        transforms.append(v2.MixUp(alpha=training.mixup, num_classes=classes))
    if settings.mix and training.cutmix:
        transforms.append(v2.CutMix(alpha=training.cutmix, num_classes=classes))
    return v2.RandomChoice(transforms) if transforms else None


def mix_batch(mix: nn.Module, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Mixes photos or activations (manifold mixup, Verma 2019) and their labels.

    The transforms expect [N, C, H, W]: tokens and pooled features get the missing axes for the moment.
    """
    shape = inputs.shape
    images = inputs.reshape(*shape[:2], -1, 1) if inputs.ndim < 4 else inputs
    mixed, targets = mix(images, labels)
    return mixed.reshape(shape), targets
