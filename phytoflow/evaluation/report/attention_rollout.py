"""Attention rollout (Abnar & Zuidema 2020): which image patches a vision transformer's class token uses."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phytoflow.inference.attribution import enlarge
from phytoflow.models.network import PhotoClassifier


def attention_rollout(model: PhotoClassifier, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
    """Heatmap of the patches the class token draws from. It is the same for every class.

    Args:
        model: A vision transformer in evaluation mode, on the CPU.
        tensor: One normalised photo, float32 [3, size, size].

    Returns:
        float32 [size, size], 0..1.
    """
    with torch.inference_mode():
        attentions = _record_attentions(model, torch.from_numpy(tensor[None]))
        shares = roll_out(attentions)[0, 0, 1:]  # of the class token, over the patches
    side = int(len(shares) ** 0.5)
    coarse = shares.reshape(side, side).numpy()
    return enlarge(coarse - coarse.min(), tensor.shape[-1])


def roll_out(attentions: list[Tensor]) -> Tensor:
    """Each token's shares of the input tokens, [N, T, T].

    The residual connection carries as much as the attention, so that half of each layer is the identity.

    Args:
        attentions: Attention matrices [N, T, T] of each layer, the first layer first.
    """
    identity = torch.eye(attentions[0].shape[-1])
    shares = identity.expand_as(attentions[0])
    for attention in attentions:
        shares = (attention + identity) / 2 @ shares
    return shares


def _record_attentions(model: PhotoClassifier, photos: Tensor) -> list[Tensor]:
    """Mean attention over the heads of each block, [N, T, T] each.

    Fused attention does not return its matrix, so that it is computed again from queries and keys.
    """
    attentions: list[Tensor] = []
    with ExitStack() as hooks:
        for block in _attention_blocks(model):
            hook = partial(_record, block.attn, attentions)
            hooks.enter_context(block.attn.qkv.register_forward_hook(hook))
        model(photos)
    return attentions


def _record(attention: Any, attentions: list[Tensor], _: Any, __: Any, qkv: Tensor) -> None:
    """Forward hook of a block's qkv projection."""
    photos, tokens, _width = qkv.shape
    split = qkv.reshape(photos, tokens, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)
    queries, keys = attention.q_norm(split[0]), attention.k_norm(split[1])
    attentions.append((queries @ keys.transpose(-2, -1) * attention.scale).softmax(-1).mean(1))


def _attention_blocks(model: PhotoClassifier) -> list[Any]:
    return [part for part in model.body if hasattr(part, "attn") and hasattr(part.attn, "qkv")]
