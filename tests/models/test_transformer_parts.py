"""Transformers with rotary positions, in parts."""

from __future__ import annotations

from pathlib import Path

import pytest
import safetensors.torch
import timm
import torch

from phytoflow.models.factory import create_model
from phytoflow.models.settings import ModelSettings
from phytoflow.models.transformer_parts import (
    ClassToken,
    TokenPooling,
    transformer_blocks,
    transformer_pooling,
)

EVA = "eva02_tiny_patch14_224"


def reference(name: str, **changes: int) -> torch.nn.Module:
    """A network of timm with random weights."""
    torch.manual_seed(1)
    network: torch.nn.Module = timm.create_model(name, pretrained=False, **changes)
    return network.eval()


def test_features_of_rotated_attention_are_those_of_timm_after_a_change_of_size(tmp_path: Path) -> None:
    """The weights are made for 224 pixels; positions are interpolated, rotations computed anew."""
    large, small = reference(EVA), reference(EVA, img_size=56)
    filtered = resize(large, small)
    small.load_state_dict(filtered)
    file = tmp_path / "weights.safetensors"
    safetensors.torch.save_file({k: v.contiguous() for k, v in large.state_dict().items()}, file)
    model = create_model(ModelSettings(backbone=EVA, image_size=56, weights=str(file)), 2)
    photos = torch.randn(2, 3, 56, 56)
    with torch.no_grad():
        expected = small.forward_head(small.forward_features(photos), pre_logits=True)  # type: ignore[operator]
        torch.testing.assert_close(model.features(photos), expected)


def resize(large: torch.nn.Module, small: torch.nn.Module) -> dict[str, torch.Tensor]:
    """Converts weights to another size as timm does."""
    from timm.models.eva import checkpoint_filter_fn

    filtered: dict[str, torch.Tensor] = checkpoint_filter_fn(dict(large.state_dict()), small)
    return filtered


def test_learnt_rotations_are_saved_with_the_model() -> None:
    """They depend on weights that the parts do not hold."""
    settings = ModelSettings(backbone="vit_small_patch16_rope_mixed_224", image_size=32, weights="none")
    first, second = create_model(settings, 2), create_model(settings, 2)
    second.load_state_dict(first.state_dict())
    photos = torch.randn(1, 3, 32, 32)
    with torch.no_grad():
        torch.testing.assert_close(second(photos), first(photos))
    assert not torch.equal(first.body[1].rope, first.body[2].rope)  # each block's own


def test_blocks_without_rotation_are_timms() -> None:
    network = reference("test_vit")
    assert transformer_blocks(network) == list(network.blocks)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "kind"), [("test_vit", ClassToken), ("test_vit2", TokenPooling), ("test_vit3", TokenPooling)]
)
def test_the_pooling_is_the_networks(name: str, kind: type) -> None:
    network = reference(name)
    assert any(isinstance(part, kind) for part in transformer_pooling(network))  # type: ignore[attr-defined]
