"""Lesions of synthetic leaf photos, one function a class.

Rust, scab and blight use the same browns and cover the same share of the leaf, and mosaic has the yellows of
an ageing leaf. Colour tells little, so a classifier has to look at shape and texture.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from phytoflow.data.synthetic.drawing import Array, colour, fractal, mix, noise, smoothstep
from phytoflow.data.synthetic.leaf import Leaf


def healthy(rng: np.random.Generator, leaf: Leaf, surface: Array) -> Array:
    """Returns the leaf unchanged."""
    return surface


def rust(rng: np.random.Generator, leaf: Leaf, surface: Array) -> Array:
    """Paints many small round pustules, raised in the middle, with a pale rim."""
    radius = rng.uniform(0.011, 0.019) * leaf.length
    count = int(_coverage(rng) * float((leaf.depth > 0).sum()) / (np.pi * radius**2))
    spots, halo = np.zeros_like(leaf.along), np.zeros_like(leaf.along)
    for y, x in _places(rng, leaf, count):
        _stamp(spots, halo, y, x, radius * rng.uniform(0.6, 1.3))
    paint, inside = _brown(rng), (leaf.depth > 0).astype(np.float32)
    surface = mix(surface, colour(rng, (45, 65), (0.4, 0.7), (0.55, 0.8)), halo * inside * 0.6)
    domes = paint * (0.7 + 0.55 * spots[..., None])
    return mix(surface, domes, smoothstep(spots, 0.05, 0.4) * inside)


def scab(rng: np.random.Generator, leaf: Leaf, surface: Array) -> Array:
    """Paints several feathery blotches, velvety inside, without a sharp border."""
    shape = leaf.along.shape
    bumps = np.full(shape, -2.0, np.float32)
    y, x = np.ogrid[: shape[0], : shape[1]]
    for cy, cx in _places(rng, leaf, int(rng.integers(5, 11))):
        reach = rng.uniform(0.05, 0.1) * leaf.length
        bumps = np.maximum(bumps, 1 - np.hypot(y - cy, x - cx).astype(np.float32) / reach)
    field = bumps + 0.4 * fractal(rng, shape, leaf.length / 22, octaves=3)
    edge = _threshold(leaf, field, _coverage(rng))
    velvet = _brown(rng) * (1 + 0.3 * fractal(rng, shape, 5, octaves=2))[..., None]
    return mix(surface, velvet, smoothstep(field, edge - 0.25, edge + 0.35) * 0.95)


def blight(rng: np.random.Generator, leaf: Leaf, surface: Array) -> Array:
    """Paints one or two large dead zones at the margin, with concentric rings and a yellow border."""
    shape = leaf.along.shape
    y, x = np.ogrid[: shape[0], : shape[1]]
    distance = np.full(shape, np.inf, np.float32)
    for cy, cx in _places(rng, leaf, int(rng.integers(1, 3)), margin=True):
        distance = np.minimum(distance, np.hypot(y - cy, x - cx).astype(np.float32))
    distance = distance / leaf.length + 0.012 * noise(rng, shape, leaf.length / 8)
    edge = _threshold(leaf, -distance, _coverage(rng) * 1.3)
    rings = np.cos(distance * (2 * np.pi / rng.uniform(0.035, 0.055)))
    dead = _brown(rng) * (1 + 0.28 * rings + 0.06 * noise(rng, shape, 3))[..., None]
    border = colour(rng, (45, 62), (0.45, 0.75), (0.55, 0.8))
    surface = mix(surface, border, smoothstep(-distance, edge - 0.05, edge) * 0.8)
    return mix(surface, dead, smoothstep(-distance, edge - 0.008, edge + 0.008))


def mosaic(rng: np.random.Generator, leaf: Leaf, surface: Array) -> Array:
    """Paints a patchwork of pale and dark fields, sharply bordered by the veins, on a puckered surface."""
    shape = leaf.along.shape
    field = noise(rng, shape, leaf.length / rng.uniform(11, 17)) - 1.2 * leaf.veins * rng.uniform(0.2, 1)
    field = field + 0.25 * noise(rng, shape, leaf.length / 40)
    pale = smoothstep(field, 0.05, 0.3) * rng.uniform(0.55, 0.9)
    surface = mix(surface, colour(rng, (52, 78), (0.35, 0.65), (0.6, 0.8)), pale)
    dark = smoothstep(-field, 0.3, 0.55) * rng.uniform(0.25, 0.45)
    pucker = np.gradient(noise(rng, shape, leaf.length / 14), axis=0) * rng.uniform(0.6, 1.2)
    return mix(surface, surface * 0.5, dark) * (1 + pucker)[..., None]


LESIONS: dict[str, Callable[[np.random.Generator, Leaf, Array], Array]] = {
    "healthy": healthy,
    "rust": rust,
    "scab": scab,
    "blight": blight,
    "mosaic": mosaic,
}


def _brown(rng: np.random.Generator) -> Array:
    return colour(rng, (14, 44), (0.4, 0.8), (0.22, 0.55))


def _coverage(rng: np.random.Generator) -> float:
    return float(rng.uniform(0.07, 0.22))


def _places(
    rng: np.random.Generator, leaf: Leaf, count: int, *, margin: bool = False
) -> list[tuple[int, int]]:
    """Draws random pixels of the leaf; with ``margin``, near its edge."""
    deepest = float(leaf.depth.max())
    rows, columns = np.nonzero((leaf.depth > 0) & (leaf.depth < 0.15 * deepest) if margin else leaf.depth > 2)
    chosen = rng.integers(0, len(rows), count)
    return list(zip(rows[chosen].tolist(), columns[chosen].tolist(), strict=True))


def _stamp(spots: Array, halo: Array, y: int, x: int, radius: float) -> None:
    """Adds a dome of this radius at a position, and a halo around it."""
    reach = int(2 * radius) + 2
    bottom, right = (min(end, place + reach + 1) for end, place in zip(spots.shape, (y, x), strict=True))
    window = np.s_[max(0, y - reach) : bottom, max(0, x - reach) : right]
    rows, columns = np.ogrid[window]
    distance = np.hypot(rows - y, columns - x) / radius
    np.maximum(spots[window], np.clip(1.2 - distance, 0, 1), out=spots[window])
    np.maximum(halo[window], np.clip(1.9 - distance, 0, 1), out=halo[window])


def _threshold(leaf: Leaf, field: Array, share: float) -> float:
    """Returns the value that this share of the leaf's pixels exceeds."""
    return float(np.quantile(field[leaf.depth > 0], 1 - share))
