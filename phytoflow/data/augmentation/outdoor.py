"""Outdoor conditions that torchvision.transforms.v2 has no transform for: noise, light, fog, occlusion.

Each module works on uint8 [3, H, W] and draws from torch's generator.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def uniform(least: float, most: float) -> float:
    """Draws a number from the uniform distribution over ``least .. most``."""
    return least + (most - least) * torch.rand(()).item()


class IsoNoise(nn.Module):
    """Sensor noise at high sensitivity (ISO): grows with the square root of the light, coarser in colour.

    Args:
        grey: Range of the standard deviation of brightness noise at white, in steps of 255.
        colour: Range of the standard deviation of colour noise, in steps of 255.
    """

    def __init__(self, grey: tuple[float, float] = (10, 30), colour: tuple[float, float] = (4, 12)) -> None:
        super().__init__()
        self.grey, self.colour = grey, colour

    def forward(self, photo: Tensor) -> Tensor:
        """uint8 [3, H, W] to uint8 [3, H, W]."""
        _, height, width = photo.shape
        light = photo.float()
        grains = torch.randn(1, height, width) * uniform(*self.grey)
        # Demosaicing spreads colour noise over neighbouring pixels: one value for 3 x 3 of them.
        blotches = torch.randn(1, 3, -(-height // 3), -(-width // 3)) * uniform(*self.colour)
        tint = F.interpolate(blotches, size=(height, width), mode="nearest")[0]
        return _bytes(light + grains * (light / 255).sqrt_() + tint)


class Exposure(nn.Module):
    """Wrong exposure: pixel values are multiplied, and values beyond white are cut off.

    Args:
        stops: Largest number of stops (powers of two) in either direction.
    """

    def __init__(self, stops: float) -> None:
        super().__init__()
        self.stops = stops

    def forward(self, photo: Tensor) -> Tensor:
        """uint8 [3, H, W] to uint8 [3, H, W]."""
        return _bytes(photo * 2.0 ** uniform(-self.stops, self.stops))


class Occlusion(nn.Module):
    """Covers a rectangle with one colour, as a finger or a label would (random erasing, Zhong et al. 2020).

    Args:
        side: Range of the rectangle's sides, as shares of the photo's.
    """

    def __init__(self, side: tuple[float, float]) -> None:
        super().__init__()
        self.side = side

    def forward(self, photo: Tensor) -> Tensor:
        """uint8 [3, H, W] to uint8 [3, H, W]."""
        height, width = (round(length * uniform(*self.side)) for length in photo.shape[-2:])
        free = [size - part for size, part in zip(photo.shape[-2:], (height, width), strict=True)]
        top, left = (round(uniform(0, pixels)) for pixels in free)
        covered = photo.clone()
        covered[:, top : top + height, left : left + width] = torch.randint(0, 256, (3, 1, 1))
        return covered


class Shadow(nn.Module):
    """Darkens the photo on one side of a line, with a soft edge.

    Args:
        darkness: Range of the share of light that the shadow takes away.
    """

    def __init__(self, darkness: tuple[float, float] = (0.25, 0.6)) -> None:
        super().__init__()
        self.darkness = darkness

    def forward(self, photo: Tensor) -> Tensor:
        """uint8 [3, H, W] to uint8 [3, H, W]."""
        y = torch.linspace(-1, 1, photo.shape[-2])[:, None]
        x = torch.linspace(-1, 1, photo.shape[-1])[None, :]
        angle = uniform(0, 2 * math.pi)
        beyond = x * math.cos(angle) + y * math.sin(angle) - uniform(-0.5, 0.5)
        shade = torch.sigmoid(beyond * uniform(8, 60)) * uniform(*self.darkness)
        return _bytes(photo * (1 - shade))


class Fog(nn.Module):
    """Mixes the photo with an uneven whitish fog.

    Args:
        least: Smallest mean share of the fog.
        most: Largest mean share of the fog.
    """

    def __init__(self, least: float, most: float) -> None:
        super().__init__()
        self.least, self.most = least, most

    def forward(self, photo: Tensor) -> Tensor:
        """uint8 [3, H, W] to uint8 [3, H, W]."""
        # Four by four random values, interpolated: fog is thicker in some places.
        clouds = F.interpolate(
            torch.rand(1, 1, 4, 4), size=photo.shape[-2:], mode="bilinear", align_corners=True
        )
        share = uniform(self.least, self.most) * (0.6 + 0.8 * clouds[0])
        return _bytes(photo * (1 - share) + uniform(215, 245) * share)


def _bytes(values: Tensor) -> Tensor:
    return values.round_().clamp_(0, 255).to(torch.uint8)
