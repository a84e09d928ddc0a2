"""Networks of stages, split block by block."""

from __future__ import annotations

import pytest
import timm
import torch
from torch import nn

from phytoflow.models.stages import ChannelsFirst, stage_blocks, stage_pooling, stage_stem


@pytest.mark.parametrize(
    ("backbone", "blocks"),
    [
        ("regnetx_002", 13),
        ("swin_tiny_patch4_window7_224", 12),
        ("swinv2_tiny_window8_256", 12),
        ("convnext_atto", 12),
        ("cs3darknet_focus_s", 4),  # its stages are no rows of blocks
    ],
)
def test_rows_of_blocks_are_split_and_other_stages_are_one_block(backbone: str, blocks: int) -> None:
    with torch.device("meta"):
        assert len(stage_blocks(timm.create_model(backbone, pretrained=False))) == blocks


def test_blocks_of_a_network_with_channels_last_pass_channels_first() -> None:
    network = timm.create_model("swin_tiny_patch4_window7_224", pretrained=False, img_size=64).eval()
    photos = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        expected = network.forward_head(network.forward_features(photos), pre_logits=True)
        maps = stage_stem(network)(photos)
        shapes = [maps.shape]
        for block in stage_blocks(network):
            maps = block(maps)
            shapes.append(maps.shape)
        assert shapes[0] == (2, 96, 16, 16) and shapes[-1] == (2, 768, 2, 2)
        pooled = nn.Sequential(*stage_pooling(network))(maps)
    torch.testing.assert_close(pooled, expected, atol=1e-5, rtol=1e-5)


def test_channels_first_turns_maps_around_a_part_and_leaves_vectors() -> None:
    maps = torch.arange(24.0).reshape(1, 2, 3, 4)
    torch.testing.assert_close(ChannelsFirst(nn.Identity())(maps), maps)
    assert ChannelsFirst(nn.Linear(2, 5))(maps).shape == (1, 5, 3, 4)
    assert ChannelsFirst(nn.Flatten())(maps).shape == (1, 24)
    stem = ChannelsFirst(nn.Identity(), takes_photos=True)
    assert stem(maps).shape == (1, 4, 2, 3)


def test_the_layers_that_pool_stand_alone() -> None:
    layers = stage_pooling(timm.create_model("regnetx_002", pretrained=False))
    assert [type(layer).__name__ for layer in layers] == ["SelectAdaptivePool2d"]  # class activation maps
