"""Drawing primitives of synthetic photos: noise, colours, mixing. Images are float32 [H, W, 3] in 0..1."""

from __future__ import annotations

import colorsys
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array = NDArray[np.floating[Any]]


def noise(rng: np.random.Generator, shape: tuple[int, int], cell: float, aspect: float = 1.0) -> Array:
    """Returns smooth noise: roughly normal values in -2..2, one bump every ``cell`` pixels.

    Args:
        rng: Random number generator.
        shape: Height and width.
        cell: Size of a bump, pixels.
        aspect: Height of a bump divided by its width.
    """
    height, width = shape
    coarse = (max(2, round(height / cell / aspect)), max(2, round(width / cell)))
    values = Image.fromarray(rng.standard_normal(coarse, np.float32))
    return np.asarray(values.resize((width, height), Image.Resampling.BICUBIC))


def fractal(rng: np.random.Generator, shape: tuple[int, int], cell: float, octaves: int = 3) -> Array:
    """Sums noise of several scales, each half as large and half as strong as the one before."""
    layers = [noise(rng, shape, max(1.0, cell / 2**i)) * 0.5**i for i in range(octaves)]
    return np.sum(layers, axis=0, dtype=np.float32)


def colour(
    rng: np.random.Generator,
    hue: tuple[float, float],
    saturation: tuple[float, float],
    value: tuple[float, float],
) -> Array:
    """Draws an RGB colour with hue (degrees), saturation and value from these ranges."""
    h, s, v = (rng.uniform(*limits) for limits in (hue, saturation, value))
    return np.asarray(colorsys.hsv_to_rgb(h / 360 % 1, s, v), np.float32)


def mix(image: Array, paint: Array, share: Array) -> Array:
    """Lays ``paint`` (a colour or an image) over ``image`` with the opacity ``share``, [H, W] in 0..1."""
    return image + (paint - image) * share[..., None]


def smoothstep(values: Array, start: float, end: float) -> Array:
    """Maps values to 0 below ``start``, 1 above ``end``, and a smooth step in between."""
    t = np.clip((values - start) / (end - start), 0, 1)
    return t * t * (3 - 2 * t)
