"""Backbones as a row of parts: stem, blocks, and what leads to pooled features.

A row can be cut anywhere: what lies before the cut is computed once and kept, what lies behind is trained.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from phytoflow.models import attention_cnn


@dataclass(frozen=True)
class Parts:
    """A backbone taken apart.

    Attributes:
        stem: From float [N, 3, H, W] to the first block's input.
        blocks: The repeated blocks, in order.
        final: From the last block's output to pooled features [N, features].
        features: How many features that gives.
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
    """The class token's features: tokens [N, T, D] to [N, D]."""

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return x[:, 0]


def take_apart(name: str, network: Any) -> Parts:
    """Takes a timm network apart; the parts share its parameters.

    Args:
        name: Backbone of ``phytoflow.config.settings.BACKBONES``.
        network: What ``timm.create_model`` gave for it.
    """
    if name.startswith("vit"):
        final = nn.Sequential(network.norm, ClassToken())
        return Parts(Tokens(network), list(network.blocks), final, network.num_features)
    if name.startswith("resnet"):
        blocks = [b for n in (1, 2, 3, 4) for b in getattr(network, f"layer{n}")]
        stem = nn.Sequential(network.conv1, network.bn1, network.act1, network.maxpool)
        return Parts(stem, blocks, network.global_pool, network.num_features)
    if name.startswith("vgg"):
        return _vgg(network)
    return _mobile(name, network)


def own_parts() -> Parts:
    """The parts of the attention CNN."""
    return Parts(attention_cnn.stem(), attention_cnn.stages(), pooling(), attention_cnn.CHANNELS[-1])


def pooling() -> nn.Module:
    """Global average pooling: [N, C, H, W] to [N, C]."""
    return nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten())


def _mobile(name: str, network: Any) -> Parts:
    stem = nn.Sequential(network.conv_stem, network.bn1)
    blocks = [block for stage in network.blocks for block in stage]
    if name.startswith("mobilenetv3"):  # pools before its last, dense, layer
        final = nn.Sequential(
            network.global_pool, network.conv_head, network.norm_head, network.act2, nn.Flatten()
        )
    else:
        final = nn.Sequential(network.conv_head, network.bn2, network.global_pool)
    return Parts(stem, blocks, final, network.head_hidden_size)


def _vgg(network: Any) -> Parts:
    """One block a convolution; its 4096-wide dense layers (nine tenths of the network) are left out."""
    blocks: list[nn.Sequential] = []
    for layer in network.features:
        if isinstance(layer, nn.Conv2d):
            blocks.append(nn.Sequential())
        blocks[-1].append(layer)
    return Parts(blocks[0], list(blocks[1:]), pooling(), network.num_features)
