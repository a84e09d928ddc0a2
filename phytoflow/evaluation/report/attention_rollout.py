"""Attention rollout (Abnar & Zuidema 2020): which places a vision transformer's class token drew from."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from phytoflow.inference.attribution import scaled
from phytoflow.models.network import PhotoClassifier


def attention_rollout(model: PhotoClassifier, tensor: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where the answer came from, the same for every class: attention does not know which one is asked for.

    Args:
        model: A vision transformer, in evaluation mode, on the CPU.
        tensor: One photo, normalised, float32 [3, size, size].

    Returns:
        float32 [size, size], from 0 to 1.
    """
    with torch.inference_mode():
        shares = rolled(_attentions(model, torch.from_numpy(tensor[None])))[0, 0, 1:]
    side = int(len(shares) ** 0.5)
    coarse = shares.reshape(side, side).numpy()
    return scaled(coarse - coarse.min(), tensor.shape[-1])


def rolled(attentions: list[Tensor]) -> Tensor:
    """Attention matrices [N, T, T], first layer first, to each token's shares of the input tokens.

    The residual connection counts as much as the attention, so half of each layer is the identity.
    """
    found = torch.eye(attentions[0].shape[-1]).expand_as(attentions[0])
    for attention in attentions:
        found = (attention + torch.eye(attention.shape[-1])) / 2 @ found
    return found


def _attentions(model: PhotoClassifier, photos: Tensor) -> list[Tensor]:
    """Of each block, the mean over its heads; told from queries and keys, as fused attention keeps none."""
    found: list[Tensor] = []
    with ExitStack() as hooks:
        for block in _blocks(model):
            hooks.enter_context(block.attn.qkv.register_forward_hook(partial(_keep, block.attn, found)))
        model(photos)
    return found


def _keep(attention: Any, found: list[Tensor], _: Any, __: Any, qkv: Tensor) -> None:
    photos, tokens, _width = qkv.shape
    split = qkv.reshape(photos, tokens, 3, attention.num_heads, -1).permute(2, 0, 3, 1, 4)
    queries, keys = attention.q_norm(split[0]), attention.k_norm(split[1])
    found.append((queries @ keys.transpose(-2, -1) * attention.scale).softmax(-1).mean(1))


def _blocks(model: PhotoClassifier) -> list[Any]:
    return [part for part in model.body if hasattr(part, "attn") and hasattr(part.attn, "qkv")]
