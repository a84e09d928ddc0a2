"""The parts of networks that timm writes as a stem, stages and a head."""

from __future__ import annotations

from typing import Any

from timm.layers.classifier import ClassifierHead, NormMlpClassifierHead
from torch import Tensor, nn

_HEAD_LAYERS = ("global_pool", "norm", "flatten", "pre_logits")  # in the order in which timm's heads run them
_ROWS = (
    "ConvNeXtStage", "DaVitStage", "EdgeNeXtStage", "EfficientVitStage", "FocalNetStage",
    "HighPerfGpuStage", "MambaOutStage", "MaxxVitStage", "MetaNeXtStage", "NextStage", "OsaStage",
    "ResNetStage", "SwinTransformerStage", "SwinTransformerV2Stage",
)  # fmt: skip
"""Stages that may reduce the resolution, then run their blocks, and do nothing else."""


class ChannelsFirst(nn.Module):
    """A part that takes maps [N, H, W, C], for what passes maps [N, C, H, W] on.

    Args:
        part: The part; it gives maps [N, H, W, C], or anything that is not four-dimensional.
        takes_photos: Its input is [N, C, H, W] already: it is a stem.
    """

    def __init__(self, part: nn.Module, *, takes_photos: bool = False) -> None:
        super().__init__()
        self.part = part
        self.takes_photos = takes_photos

    def forward(self, x: Tensor) -> Tensor:
        """Float [N, C, H, W] to float [N, C, H, W] or [N, D]."""
        y: Tensor = self.part(x if self.takes_photos else x.permute(0, 2, 3, 1))
        return y.permute(0, 3, 1, 2) if y.ndim == 4 else y


def stage_stem(network: Any) -> nn.Module:
    """What leads from photos to the first stage."""
    stem: nn.Module = network.stem if hasattr(network, "stem") else network.patch_embed
    return ChannelsFirst(stem, takes_photos=True) if _channels_last(network) else stem


def stage_blocks(network: Any) -> list[nn.Module]:
    """The blocks of all stages. A stage that is no plain row of blocks is one block."""
    if hasattr(network, "s1"):  # RegNet
        stages = [network.s1, network.s2, network.s3, network.s4]
    else:
        stages = list(network.stages if hasattr(network, "stages") else network.layers)
    blocks = [block for stage in stages for block in _blocks_of(stage)]
    return [ChannelsFirst(block) for block in blocks] if _channels_last(network) else blocks


def stage_pooling(network: Any) -> list[nn.Module]:
    """What leads from the last stage's maps to pooled features, layer by layer."""
    network.reset_classifier(0)
    head = network.head
    layers = [getattr(network, name, None) for name in ("norm_pre", "norm", "final_conv")]
    if isinstance(head, ClassifierHead | NormMlpClassifierHead):
        layers += [getattr(head, name, None) for name in _HEAD_LAYERS]
    else:
        layers.append(head)
    kept = [layer for layer in layers if layer is not None and not isinstance(layer, nn.Identity)]
    return [ChannelsFirst(layer) for layer in kept] if _channels_last(network) else kept


def _blocks_of(stage: Any) -> list[nn.Module]:
    """A reduction of the resolution belongs to the first block after it."""
    if type(stage) is nn.Sequential or type(stage).__name__ == "RegStage":
        return list(stage.children())
    if type(stage).__name__ in _ROWS:
        reduction = [part for name, part in stage.named_children() if name != "blocks"]
        first, *rest = stage.blocks
        return [nn.Sequential(*reduction, first), *rest]
    return [stage]


def _channels_last(network: Any) -> bool:
    return getattr(network, "output_fmt", "NCHW") == "NHWC"
