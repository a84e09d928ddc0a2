"""Synthetic outliers: pictures that no camera would take outdoors, drawn from a seed; no data set is needed.

Noise, blobs, waves and plain colours follow the far-OOD sets of Hendrycks & Gimpel (2017) and Hendrycks et
al. (2019, Outlier Exposure). Photos with shuffled patches (Tack et al. 2020, CSI) are left out: a shuffled
lawn is still a lawn, and with them as outliers the wrong score was selected.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]
_Draw = Callable[[int, np.random.Generator], NDArray[np.float64]]


def synthetic_outliers(count: int, size: int, seed: int) -> list[Pixels]:
    """Draws noise, smooth noise, blobs, waves and plain colours in turn, uint8 [size, size, 3] each."""
    generator = np.random.default_rng(seed)
    kinds: tuple[_Draw, ...] = (_noise, _smooth, _blobs, _waves, _plain)
    return [_pixels(kinds[number % len(kinds)](size, generator)) for number in range(count)]


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
