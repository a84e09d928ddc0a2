"""The small network with channel attention."""

import torch

from phytoflow.models.attention_cnn import ChannelAttention, create_blocks, create_stem


def test_attention_scales_whole_channels_by_less_than_one() -> None:
    torch.manual_seed(0)
    maps = torch.rand(2, 16, 5, 5) + 0.1
    weights = ChannelAttention(16)(maps) / maps
    assert torch.allclose(weights, weights[:, :, :1, :1].expand_as(weights))
    assert ((weights > 0) & (weights < 1)).all() and weights.std() > 0


def test_the_stem_quarters_the_resolution_and_each_block_halves_it() -> None:
    maps = create_stem()(torch.rand(1, 3, 64, 64))
    assert maps.shape == (1, 64, 16, 16)
    for block, shape in zip(create_blocks(), ((64, 8), (128, 4), (256, 2)), strict=True):
        maps = block(maps)
        assert maps.shape == (1, shape[0], shape[1], shape[1])
