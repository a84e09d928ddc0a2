"""From a decoded photo to the network's input: defined here once, for training and for serving.

The spec travels in the bundle. It needs numpy and Pillow only, so a predictor carries no training stack.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from phytoflow.data.images.decode import Limits, decode

Interpolation = Literal["bilinear", "bicubic", "lanczos"]
_RESAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
Triple = tuple[float, float, float]


class Preprocessing(BaseModel):
    """How photos become tensors.

    Attributes:
        size: Height and width of the network's input, pixels.
        crop_fraction: Share of the photo's shorter side that the central square crop keeps.
        interpolation: Filter used to resize.
        mean: Per-channel mean, of values in 0..1.
        std: Per-channel standard deviation, of values in 0..1.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(224, ge=8, le=2048)
    crop_fraction: float = Field(0.875, gt=0, le=1)
    interpolation: Interpolation = "bicubic"
    mean: Triple = (0.5, 0.5, 0.5)
    std: Triple = (0.5, 0.5, 0.5)

    @property
    def resize_size(self) -> int:
        """Shorter side, in pixels, of the whole photo when its crop is ``size`` wide."""
        return round(self.size / self.crop_fraction)

    def resize(self, image: Image.Image) -> Image.Image:
        """Reduces a photo so that its shorter side is ``resize_size``; smaller ones stay as they are."""
        scale = self.resize_size / min(image.size)
        if scale >= 1:
            return image
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        return image.resize(size, _RESAMPLING[self.interpolation])

    def pixels(self, image: Image.Image) -> NDArray[np.uint8]:
        """Takes the central square and resizes it, in one pass.

        Args:
            image: An RGB photo of any size.

        Returns:
            uint8 [size, size, 3].
        """
        side = min(image.size) * self.size / self.resize_size
        left, top = (image.width - side) / 2, (image.height - side) / 2
        box = (left, top, left + side, top + side)
        return np.asarray(image.resize((self.size, self.size), _RESAMPLING[self.interpolation], box=box))

    def normalise(
        self, pixels: NDArray[np.uint8], out: NDArray[np.float32] | None = None
    ) -> NDArray[np.float32]:
        """Scales to the network's range and puts channels first.

        Args:
            pixels: uint8 [H, W, 3] or [N, H, W, 3].
            out: Where to put the result; None: into memory of its own.

        Returns:
            float32 [3, H, W] or [N, 3, H, W], contiguous.
        """
        # Channels are put together while they are bytes: a quarter of what floats would take to move.
        planes = np.ascontiguousarray(pixels.transpose(*range(pixels.ndim - 3), -1, -3, -2))
        scale, shift = self._line
        found = np.multiply(planes, scale, out=out)
        found -= shift
        return found

    @cached_property
    def _line(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """What a byte is multiplied with, and what is then taken off: float32 [3, 1, 1] each."""
        mean, std = (np.asarray(values, np.float32)[:, None, None] for values in (self.mean, self.std))
        return np.float32(1 / 255) / std, mean / std

    def decode(self, content: bytes, limits: Limits = Limits()) -> NDArray[np.uint8]:  # noqa: B008 (frozen)
        """Decodes a photo straight to uint8 [size, size, 3].

        Raises:
            PhotoError: The photo cannot be used.
        """
        return self.pixels(decode(content, limits, size_hint=self.resize_size))

    def __call__(self, content: bytes) -> NDArray[np.float32]:
        """Encoded photo to float32 [3, size, size]; raises PhotoError."""
        return self.normalise(self.decode(content))
