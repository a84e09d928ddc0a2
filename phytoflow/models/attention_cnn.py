"""A small convolutional network with channel attention, for training without pretrained weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

CHANNELS = (64, 128, 256)


class ChannelAttention(nn.Module):
    """Weights each channel by its mean and its maximum (the channel attention of CBAM, Woo 2018)."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.shared = nn.Sequential(
            nn.Conv2d(channels, channels // reduction, 1),
            nn.ReLU(),
            nn.Conv2d(channels // reduction, channels, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Float [N, C, H, W] to the same shape."""
        mean, peak = x.mean((2, 3), keepdim=True), x.amax((2, 3), keepdim=True)
        weight: Tensor = torch.sigmoid(self.shared(mean) + self.shared(peak))
        return x * weight


def create_stem() -> nn.Module:
    """Reduces the resolution to a quarter before the costly layers: [N, 3, H, W] to [N, 64, H/4, W/4]."""
    return nn.Sequential(
        nn.Conv2d(3, CHANNELS[0], 7, stride=4, padding=3, bias=False), nn.BatchNorm2d(CHANNELS[0]), nn.ReLU()
    )


def create_blocks() -> list[nn.Module]:
    """Three blocks of two convolutions and channel attention, with 64, 128 and 256 channels."""
    widths = zip((CHANNELS[0], *CHANNELS[:-1]), CHANNELS, strict=True)
    return [_create_block(inputs, outputs) for inputs, outputs in widths]


def _create_block(inputs: int, outputs: int) -> nn.Module:
    return nn.Sequential(
        *_create_convolution(inputs, outputs),
        *_create_convolution(outputs, outputs),
        ChannelAttention(outputs),
        nn.MaxPool2d(2),
    )


def _create_convolution(inputs: int, outputs: int) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
