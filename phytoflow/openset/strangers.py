"""Strangers without other data: pictures that no camera in the field would give, made from a seed.

Noise, blobs, waves and plain colours follow the far sets of Hendrycks & Gimpel (2017) and Hendrycks et al.
(2019, Outlier Exposure); photos with their patches shuffled keep colours and textures but lose what they
show (Tack et al. 2020, CSI, whose strangers are photos permuted).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]
_GRIDS = (3, 4, 6, 8)
_Maker = Callable[[int, np.random.Generator], NDArray[np.float64]]


def shuffled(photos: Sequence[Pixels], seed: int) -> list[Pixels]:
    """Photos uint8 [S, S, 3] cut into 9 to 64 patches that change places."""
    generator = np.random.default_rng(seed)
    return [_shuffled(photo, int(generator.choice(_GRIDS)), generator) for photo in photos]


def textures(count: int, size: int, seed: int) -> list[Pixels]:
    """Noise, smooth noise, blobs, waves and plain colours by turns, uint8 [size, size, 3] each."""
    generator = np.random.default_rng(seed)
    makers: tuple[_Maker, ...] = (_noise, _smooth, _blobs, _waves, _plain)
    return [_pixels(makers[i % len(makers)](size, generator)) for i in range(count)]


def _shuffled(photo: Pixels, grid: int, generator: np.random.Generator) -> Pixels:
    side = photo.shape[0] // grid
    whole = photo[: side * grid, : side * grid]
    tiles = whole.reshape(grid, side, grid, side, 3).swapaxes(1, 2).reshape(grid**2, side, side, 3)
    mixed = tiles[generator.permutation(len(tiles))].reshape(grid, grid, side, side, 3).swapaxes(1, 2)
    result = photo.copy()
    result[: side * grid, : side * grid] = mixed.reshape(side * grid, side * grid, 3)
    return result


def _noise(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    return generator.normal(128, generator.uniform(20, 80), (size, size, 3))


def _smooth(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    """A few random colours, blended into each other."""
    few = generator.integers(0, 256, (*generator.integers(2, 12, 2), 3)).astype(np.uint8)
    return np.asarray(Image.fromarray(few).resize((size, size), Image.Resampling.BICUBIC), np.float64)


def _blobs(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    grains = Image.fromarray(generator.integers(0, 256, (size, size, 3)).astype(np.uint8))
    blurred = np.asarray(grains.filter(ImageFilter.GaussianBlur(generator.uniform(2, 8))), np.float64)
    dark, light = generator.uniform(0, 255, (2, 3))
    return np.where(blurred > blurred.mean(), light, dark)


def _waves(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    y, x = np.mgrid[:size, :size]
    directions = generator.uniform(-1, 1, (3, 2))
    return 128 + 120 * np.stack([np.sin(x * a + y * b + 9 * a) for a, b in directions], axis=-1)


def _plain(size: int, generator: np.random.Generator) -> NDArray[np.float64]:
    return np.broadcast_to(generator.uniform(0, 255, 3), (size, size, 3))


def _pixels(values: NDArray[np.float64]) -> Pixels:
    return np.clip(values, 0, 255).astype(np.uint8)
