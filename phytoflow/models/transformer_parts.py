"""The parts of timm's vision transformers before and after their blocks, as modules that stand alone."""

from __future__ import annotations

from typing import Any

import torch
from timm.layers.pool1d import global_pool_nlc
from torch import Tensor, nn


class Tokens(nn.Module):
    """A vision transformer's input: patches, class token, registers and positions (Dosovitskiy 2021)."""

    def __init__(self, vit: Any) -> None:
        super().__init__()
        self.patch_embed = vit.patch_embed
        self.cls_token = vit.cls_token
        self.reg_token = vit.reg_token
        self.pos_embed = vit.pos_embed
        self.norm_pre = vit.norm_pre
        self.only_patches_have_positions = vit.no_embed_class

    def forward(self, x: Tensor) -> Tensor:
        """Float [N, 3, H, W] to tokens [N, prefix + patches, D]."""
        patches = self.patch_embed(x)
        if patches.ndim == 4:  # [N, h, w, D] of networks that accept any size
            patches = patches.flatten(1, 2)
        if self.pos_embed is not None and self.only_patches_have_positions:
            patches = patches + self.pos_embed
        prefix = [
            token.expand(x.shape[0], -1, -1)
            for token in (self.cls_token, self.reg_token)
            if token is not None
        ]
        tokens = torch.cat([*prefix, patches], 1)
        if self.pos_embed is not None and not self.only_patches_have_positions:
            tokens = tokens + self.pos_embed
        normed: Tensor = self.norm_pre(tokens)
        return normed


class RotaryBlock(nn.Module):
    """A block whose attention turns queries and keys by their positions (RoPE, Su 2024).

    The angles are those of one size of the input. Where a network has learnt them, they stay as they are.

    Args:
        block: Of ``timm.models.eva.Eva``.
        rope: Sines and cosines of the angles.
    """

    rope: Tensor

    def __init__(self, block: nn.Module, rope: Tensor) -> None:
        super().__init__()
        self.block = block
        self.register_buffer("rope", rope.detach().clone())

    def forward(self, x: Tensor) -> Tensor:
        """Tokens [N, T, D] to the same shape."""
        tokens: Tensor = self.block(x, rope=self.rope)
        return tokens


class ClassToken(nn.Module):
    """Selects the class token's features: tokens [N, T, D] to [N, D]."""

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        return x[:, 0]


class TokenPooling(nn.Module):
    """Pools tokens by attention (SigLIP, Zhai 2023) or by their mean: [N, T, D] to [N, D]."""

    def __init__(self, vit: Any) -> None:
        super().__init__()
        self.attention = vit.attn_pool
        self.kind = vit.global_pool or "avg"
        self.prefix = vit.num_prefix_tokens
        self.include_prefix = getattr(
            vit, "pool_include_prefix", vit.attn_pool is not None
        )  # Eva has no choice

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        if self.attention is not None:
            pooled: Tensor = self.attention(x if self.include_prefix else x[:, self.prefix :])
            return pooled
        return global_pool_nlc(x, self.kind, self.prefix, self.include_prefix)


def transformer_blocks(vit: Any) -> list[nn.Module]:
    """The blocks, each with the rotation of its attention if the network has one."""
    if getattr(vit, "rope", None) is None:
        return list(vit.blocks)
    with torch.no_grad():
        rope = vit.eval().rope.get_embed(shape=vit.patch_embed.grid_size)
    ropes = rope if vit.rope_mixed else [rope] * len(vit.blocks)
    return [RotaryBlock(block, angles) for block, angles in zip(vit.blocks, ropes, strict=True)]


def transformer_pooling(vit: Any) -> nn.Module:
    """What leads from the last block's tokens to pooled features."""
    pooling = ClassToken() if vit.global_pool == "token" else TokenPooling(vit)
    norms = [] if isinstance(vit.fc_norm, nn.Identity) else [vit.fc_norm]
    return nn.Sequential(vit.norm, pooling, *norms)
