"""From an encoded photo to the network's input: defined here once, for training and for serving.

A bundle carries its preprocessing. This module needs only numpy and Pillow, so that a predictor carries no
training stack.
"""

from __future__ import annotations

from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from pydantic import BaseModel, ConfigDict, Field

from phytoflow.data.images.decode import DECODER_VERSION, DecoderVersion, decode
from phytoflow.data.images.limits import Limits

Interpolation = Literal["bilinear", "bicubic", "lanczos"]
_RESAMPLING = {
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
Triple = tuple[float, float, float]


class Preprocessing(BaseModel):
    """How photos become tensors.

    The defaults of ``decoder`` and ``sample_bits`` are those of documents that were written before the fields
    existed, and are not written: such a document, and a bundle's version with it, stays as it is.

    Attributes:
        size: Height and width of the network's input, pixels.
        crop_fraction: Share of the photo's shorter side that the central square crop keeps.
        interpolation: Filter used to resize.
        mean: Per-channel mean, of values in 0..1.
        std: Per-channel standard deviation, of values in 0..1.
        decoder: Version of the decoder (``phytoflow.data.images.decode``); a new model is trained with
            ``DECODER_VERSION``.
        sample_bits: Bits of the training photos' samples, in files of more than 8 bits a sample that state no
            depth; None: there were no such files.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(224, ge=8, le=2048)
    crop_fraction: float = Field(0.875, gt=0, le=1)
    interpolation: Interpolation = "bicubic"
    mean: Triple = (0.5, 0.5, 0.5)
    std: Triple = (0.5, 0.5, 0.5)
    decoder: DecoderVersion = Field(1, exclude_if=lambda version: version == 1)
    sample_bits: int | None = Field(None, ge=8, le=32, exclude_if=lambda bits: bits is None)

    @property
    def resize_size(self) -> int:
        """Shorter side, in pixels, of the whole photo when its crop is ``size`` wide."""
        return round(self.size / self.crop_fraction)

    def with_current_decoder(self) -> Preprocessing:
        """The same preprocessing with the newest version of the decoder."""
        return self.model_copy(update={"decoder": DECODER_VERSION})

    def decoding_as(self, other: Preprocessing) -> Preprocessing:
        """The same preprocessing that decodes photos as another one does."""
        return self.model_copy(update={"decoder": other.decoder, "sample_bits": other.sample_bits})

    def open(self, content: bytes, limits: Limits = Limits()) -> Image.Image:  # noqa: B008 (frozen)
        """Decodes a photo to an upright RGB image, no smaller than ``resize_size`` if it was larger.

        Raises:
            PhotoError: The photo cannot be used.
        """
        return decode(content, limits, self.resize_size, version=self.decoder, sample_bits=self.sample_bits)

    def resize(self, image: Image.Image) -> Image.Image:
        """Reduces a photo so that its shorter side is ``resize_size``; smaller ones stay as they are."""
        scale = self.resize_size / min(image.size)
        if scale >= 1:
            return image
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        return image.resize(size, _RESAMPLING[self.interpolation])

    def pixels(self, image: Image.Image) -> NDArray[np.uint8]:
        """Crops the central square and resizes it, in one pass.

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
            out: Array to write the result to; None: a new one.

        Returns:
            float32 [3, H, W] or [N, 3, H, W], contiguous.
        """
        # Channels are moved while they are bytes: a quarter of the memory traffic of moving floats.
        planes = np.ascontiguousarray(pixels.transpose(*range(pixels.ndim - 3), -1, -3, -2))
        scale, shift = self._scale_and_shift
        result = np.multiply(planes, scale, out=out)
        result -= shift
        return result

    @cached_property
    def _scale_and_shift(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Factor and subtrahend that turn a byte into the network's range: float32 [3, 1, 1] each."""
        mean, std = (np.asarray(values, np.float32)[:, None, None] for values in (self.mean, self.std))
        return np.float32(1 / 255) / std, mean / std

    def decode(self, content: bytes, limits: Limits = Limits()) -> NDArray[np.uint8]:  # noqa: B008 (frozen)
        """Decodes a photo to uint8 [size, size, 3].

        Raises:
            PhotoError: The photo cannot be used.
        """
        return self.pixels(self.open(content, limits))

    def __call__(self, content: bytes) -> NDArray[np.float32]:
        """Encoded photo to float32 [3, size, size]; raises PhotoError."""
        return self.normalise(self.decode(content))
