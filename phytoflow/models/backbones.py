"""Backbones as a sequence of parts: stem, blocks, and what leads to pooled features.

A sequence can be cut anywhere. What lies before the cut is computed once and cached, what lies after it is
trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import nn

from phytoflow.models import attention_cnn
from phytoflow.models.stages import stage_blocks, stage_pooling, stage_stem
from phytoflow.models.transformer_parts import Tokens, transformer_blocks, transformer_pooling


@dataclass(frozen=True)
class BackboneParts:
    """The parts of a backbone.

    Attributes:
        stem: Maps float [N, 3, H, W] to the first block's input.
        blocks: The repeated blocks, in order.
        final: Maps the last block's output to pooled features [N, features].
        features: Number of pooled features.
    """

    stem: nn.Module
    blocks: list[nn.Module]
    final: nn.Module
    features: int


def split_backbone(network: Any) -> BackboneParts:
    """Splits a timm network; the parts share its parameters.

    Args:
        network: What ``timm.create_model`` returned for a name of ``phytoflow.models.families``.
    """
    return _SPLITS.get(type(network).__name__, _split_stages)(network)


def attention_cnn_parts() -> BackboneParts:
    """The parts of a new attention CNN."""
    stem, blocks = attention_cnn.create_stem(), attention_cnn.create_blocks()
    return BackboneParts(stem, blocks, create_pooling(), attention_cnn.CHANNELS[-1])


def create_pooling() -> nn.Module:
    """Global average pooling: [N, C, H, W] to [N, C]."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _split_transformer(network: Any) -> BackboneParts:
    final = transformer_pooling(network)
    return BackboneParts(Tokens(network), transformer_blocks(network), final, network.num_features)


def _split_resnet(network: Any) -> BackboneParts:
    blocks = [block for stage in (1, 2, 3, 4) for block in getattr(network, f"layer{stage}")]
    stem = nn.Sequential(network.conv1, network.bn1, network.act1, network.maxpool)
    return BackboneParts(stem, blocks, network.global_pool, network.num_features)


def _split_stages(network: Any) -> BackboneParts:
    final = nn.Sequential(*stage_pooling(network))
    return BackboneParts(stage_stem(network), stage_blocks(network), final, network.head_hidden_size)


def _split_efficientnet(network: Any) -> BackboneParts:
    final = nn.Sequential(network.conv_head, network.bn2, network.global_pool)
    return _split_mobile(network, final)


def _split_mobilenetv3(network: Any) -> BackboneParts:
    """Pools before its last, dense, layer."""
    final = nn.Sequential(
        network.global_pool, network.conv_head, network.norm_head, network.act2, nn.Flatten()
    )
    return _split_mobile(network, final)


def _split_mobile(network: Any, final: nn.Module) -> BackboneParts:
    stem = nn.Sequential(network.conv_stem, network.bn1)
    blocks = [block for stage in network.blocks for block in stage]
    return BackboneParts(stem, blocks, final, network.head_hidden_size)


def _split_vgg(network: Any) -> BackboneParts:
    """One block for each convolution; the 4096-wide dense layers, 90% of the network, are left out."""
    blocks: list[nn.Sequential] = []
    for layer in network.features:
        if isinstance(layer, nn.Conv2d):
            blocks.append(nn.Sequential())
        blocks[-1].append(layer)
    return BackboneParts(blocks[0], list(blocks[1:]), create_pooling(), network.num_features)


_SPLITS: dict[str, Callable[[Any], BackboneParts]] = {
    "VisionTransformer": _split_transformer,
    "Eva": _split_transformer,
    "ResNet": _split_resnet,
    "VGG": _split_vgg,
    "EfficientNet": _split_efficientnet,
    "MobileNetV3": _split_mobilenetv3,
}
