"""Attention is followed as the network itself attends."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from phytoflow.evaluation.report.attention_rollout import _record_attentions, attention_rollout, roll_out
from phytoflow.models.factory import create_model
from phytoflow.models.network import PhotoClassifier
from phytoflow.models.settings import ModelSettings


@pytest.fixture(scope="module")
def vit() -> PhotoClassifier:
    torch.manual_seed(0)
    settings = ModelSettings(backbone="vit_tiny_patch16_224", weights="none", image_size=64)
    return create_model(settings, 3)


def test_attentions_are_those_the_network_uses(vit: PhotoClassifier) -> None:
    """Without the fused kernel timm's blocks hand their attention to a dropout, where it can be seen."""
    photos = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    blocks = [part for part in vit.body if hasattr(part, "attn")]
    assert len(blocks) == 12
    seen: list[torch.Tensor] = []
    for block in blocks:
        block.attn.fused_attn = False
        block.attn.attn_drop.register_forward_hook(lambda _, __, out: seen.append(out.mean(1)))
    with torch.inference_mode():
        found = _record_attentions(vit, photos)
    assert len(found) == len(seen) == 12
    for ours, theirs in zip(found, seen, strict=True):
        torch.testing.assert_close(ours, theirs)


def test_a_token_s_shares_sum_to_one_and_layers_are_chained() -> None:
    first = torch.tensor([[[1.0, 0, 0], [0, 0, 1], [0, 1, 0]]])  # tokens 1 and 2 look at each other
    second = torch.tensor([[[0.0, 1, 0], [0, 1, 0], [0, 0, 1]]])  # then token 0 looks at token 1
    shares = roll_out([first, second])
    torch.testing.assert_close(shares.sum(-1), torch.ones(1, 3))
    torch.testing.assert_close(shares[0, 0], torch.tensor([0.5, 0.25, 0.25]))


def test_the_heat_lies_on_the_photo(vit: PhotoClassifier) -> None:
    tensor = np.random.default_rng(0).normal(size=(3, 64, 64)).astype(np.float32)
    heat = attention_rollout(vit, tensor)
    assert heat.shape == (64, 64)
    assert heat.min() >= 0
    assert 0.5 < heat.max() <= 1
