"""Backbones as a sequence of parts: stem, blocks, and what leads to pooled features.

A sequence can be cut anywhere. What lies before the cut is computed once and cached, what lies after it is
trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from phytoflow.models import attention_cnn


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


class Tokens(nn.Module):
    """A vision transformer's input: patches, class token and positions (Dosovitskiy 2021)."""

    def __init__(self, vit: Any) -> None:
        super().__init__()
        self.patch_embed = vit.patch_embed
        self.cls_token = vit.cls_token
        self.pos_embed = vit.pos_embed

    def forward(self, x: Tensor) -> Tensor:
        """Float [N, 3, H, W] to tokens [N, 1 + patches, D]."""
        patches = self.patch_embed(x)
        tokens: Tensor = torch.cat([self.cls_token.expand(len(x), -1, -1), patches], 1) + self.pos_embed
        return tokens


class ClassToken(nn.Module):
    """Selects the class token's features: tokens [N, T, D] to [N, D]."""

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return x[:, 0]


def split_backbone(name: str, network: Any) -> BackboneParts:
    """Splits a timm network; the parts share its parameters.

    Args:
        name: A backbone of ``phytoflow.models.settings.BACKBONES``.
        network: What ``timm.create_model`` returned for it.
    """
    if name.startswith("vit"):
        final = nn.Sequential(network.norm, ClassToken())
        return BackboneParts(Tokens(network), list(network.blocks), final, network.num_features)
    if name.startswith("resnet"):
        blocks = [block for stage in (1, 2, 3, 4) for block in getattr(network, f"layer{stage}")]
        stem = nn.Sequential(network.conv1, network.bn1, network.act1, network.maxpool)
        return BackboneParts(stem, blocks, network.global_pool, network.num_features)
    if name.startswith("vgg"):
        return _split_vgg(network)
    return _split_mobile(name, network)


def attention_cnn_parts() -> BackboneParts:
    """The parts of a new attention CNN."""
    stem, blocks = attention_cnn.create_stem(), attention_cnn.create_blocks()
    return BackboneParts(stem, blocks, create_pooling(), attention_cnn.CHANNELS[-1])


def create_pooling() -> nn.Module:
    """Global average pooling: [N, C, H, W] to [N, C]."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _split_mobile(name: str, network: Any) -> BackboneParts:
    stem = nn.Sequential(network.conv_stem, network.bn1)
    blocks = [block for stage in network.blocks for block in stage]
    if name.startswith("mobilenetv3"):  # pools before its last, dense, layer
        final = nn.Sequential(
            network.global_pool, network.conv_head, network.norm_head, network.act2, nn.Flatten()
        )
    else:
        final = nn.Sequential(network.conv_head, network.bn2, network.global_pool)
    return BackboneParts(stem, blocks, final, network.head_hidden_size)


def _split_vgg(network: Any) -> BackboneParts:
    """One block for each convolution; the 4096-wide dense layers, 90% of the network, are left out."""
    blocks: list[nn.Sequential] = []
    for layer in network.features:
        if isinstance(layer, nn.Conv2d):
            blocks.append(nn.Sequential())
        blocks[-1].append(layer)
    return BackboneParts(blocks[0], list(blocks[1:]), create_pooling(), network.num_features)
