"""Augmentation presets: none, light and outdoor.

Each turns a decoded photo of any size into uint8 [3, size, size]; normalisation follows, with the model's own
preprocessing. All random numbers come from torch's generator, so that a seed reproduces them.
"""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor, nn
from torchvision.transforms import v2  # type: ignore[import-untyped]

from phytoflow.data.augmentation.outdoor import Exposure, Fog, IsoNoise, Occlusion, Shadow, uniform
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.errors import ConfigError

Preset = Literal["none", "light", "outdoor"]
Photo = Image.Image | Tensor
_OUTDOOR_SHARE = 0.5  # of the views; the others keep the accuracy on good photos


def augmentation(name: Preset, size: int, preprocessing: Preprocessing | None = None) -> nn.Module:
    """Builds a preset.

    Args:
        name: ``none``: exactly the pixels that serving sees. ``light``: flips, rotation by up to 30 degrees,
            shift, scale and colour. ``outdoor``: light with rotation by up to 90 degrees, and for half of the
            views outdoor conditions: blur, Gaussian noise (sigma 10-50 of 255), ISO noise, JPEG compression
            (quality 75-100), shadow, fog (0.1-0.3), wrong exposure, colour casts, occlusion.
        size: Height and width of the result, pixels.
        preprocessing: The model's preprocessing; None: the default one at ``size``.

    Returns:
        A module that takes an RGB PIL photo, uint8 [3, H, W] or uint8 [N, 3, H, W] (the photos of a batch
        are augmented independently) and returns uint8 [3, size, size] or [N, 3, size, size].

    Raises:
        ConfigError: There is no such preset.
    """
    preprocessing = (preprocessing or Preprocessing()).model_copy(update={"size": size})
    steps: dict[str, list[nn.Module]] = {
        "none": [ExactPixels(preprocessing)],
        "light": _light(preprocessing, degrees=30),
        "outdoor": [*_light(preprocessing, degrees=90), v2.RandomApply(_outdoor(), p=_OUTDOOR_SHARE)],
    }
    if name not in steps:
        raise ConfigError(f"no augmentation preset {name!r}", remedy=f"use one of {', '.join(steps)}")
    return _EachPhoto(*steps[name])


def _light(preprocessing: Preprocessing, degrees: float) -> list[nn.Module]:
    return [
        RandomPose(preprocessing, degrees, shift=0.1, scale=(0.8, 1.15)),
        v2.RandomHorizontalFlip(),
        v2.RandomVerticalFlip(),
        v2.ColorJitter(brightness=0.25, contrast=0.25, saturation=0.25),
        WhiteBalance(0.06),
    ]


def _outdoor() -> list[nn.Module]:
    blur = v2.GaussianBlur(7, sigma=(0.5, 2.0))
    return [
        v2.RandomApply([Occlusion((0.15, 0.5))], p=0.25),
        v2.RandomApply([Shadow()], p=0.3),
        v2.RandomApply([Fog(0.1, 0.3)], p=0.2),
        v2.RandomApply([Exposure(1.3)], p=0.3),
        v2.RandomApply([WhiteBalance(0.3)], p=0.3),
        v2.RandomApply([blur], p=0.25),
        v2.RandomChoice([GaussNoise(10, 50), IsoNoise(), nn.Identity()], p=[0.25, 0.25, 0.5]),
        v2.RandomApply([v2.JPEG((75, 100))], p=0.4),
    ]


class _EachPhoto(nn.Sequential):
    """Applies the steps one after the other; to a batch photo by photo."""

    def forward(self, photo: Photo) -> Tensor:
        if isinstance(photo, Tensor) and photo.ndim == 4:
            return torch.stack([self.forward(one) for one in photo])
        return cast("Tensor", super().forward(photo))  # type: ignore[no-untyped-call]


class ExactPixels(nn.Module):
    """The pixels that ``Preprocessing`` gives in serving: uint8 [3, size, size]."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        super().__init__()
        self.preprocessing = preprocessing

    def forward(self, photo: Photo) -> Tensor:
        """RGB photo of any size to uint8 [3, size, size]."""
        return _tensor(self.preprocessing.pixels(_image(photo)))


class RandomPose(nn.Module):
    """Rotates, shifts, scales and crops to ``size`` in one resampling; reflects the photo beyond its edge.

    One bilinear pass takes half the time of v2's rotate, crop and resize in turn, and blurs once.
    """

    def __init__(
        self, preprocessing: Preprocessing, degrees: float, shift: float, scale: tuple[float, float]
    ) -> None:
        super().__init__()
        self.preprocessing = preprocessing
        self.degrees, self.shift, self.scale = degrees, shift, scale

    def forward(self, photo: Photo) -> Tensor:
        """RGB photo of any size to uint8 [3, size, size]."""
        pixels = _tensor(np.asarray(self.preprocessing.resize(_image(photo))))
        size = self.preprocessing.size
        grid = F.affine_grid(self._affine(pixels)[None], [1, 3, size, size], align_corners=False)
        turned = F.grid_sample(pixels[None].float(), grid, padding_mode="reflection", align_corners=False)
        return turned[0].round_().clamp_(0, 255).to(torch.uint8)

    def _affine(self, pixels: Tensor) -> Tensor:
        """Maps positions in the result, -1..1, to positions in the photo, -1..1: float [2, 3]."""
        height, width = pixels.shape[-2:]
        # A larger leaf means a smaller crop, so scale divides. The crop is a share of the shorter side.
        crop = self.preprocessing.crop_fraction * min(height, width) / uniform(*self.scale)
        angle = np.deg2rad(uniform(-self.degrees, self.degrees))
        cos, sin = np.cos(angle) * crop, np.sin(angle) * crop
        dx, dy = uniform(-self.shift, self.shift) * crop, uniform(-self.shift, self.shift) * crop
        rows = [[cos / width, -sin / width, dx / width], [sin / height, cos / height, dy / height]]
        return torch.tensor(rows, dtype=torch.float32)


class WhiteBalance(nn.Module):
    """Multiplies each channel by its own factor in ``1 - most .. 1 + most``, like another white balance."""

    def __init__(self, most: float) -> None:
        super().__init__()
        self.most = most

    def forward(self, photo: Tensor) -> Tensor:
        """uint8 [3, H, W] to uint8 [3, H, W]."""
        gains = 1 + self.most * (2 * torch.rand(3, 1, 1) - 1)
        return (photo * gains).round_().clamp_(0, 255).to(torch.uint8)


class GaussNoise(nn.Module):
    """Adds independent Gaussian noise with a sigma drawn from ``least .. most``, in steps of 255."""

    def __init__(self, least: float, most: float) -> None:
        super().__init__()
        self.least, self.most = least, most

    def forward(self, photo: Tensor) -> Tensor:
        """uint8 [3, H, W] to uint8 [3, H, W]."""
        noisy: Tensor = v2.functional.gaussian_noise(photo, sigma=uniform(self.least, self.most) / 255)
        return noisy


def _image(photo: Photo) -> Image.Image:
    if isinstance(photo, Tensor):
        return Image.fromarray(photo.permute(1, 2, 0).contiguous().numpy())
    return photo


def _tensor(pixels: NDArray[np.uint8]) -> Tensor:
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())
