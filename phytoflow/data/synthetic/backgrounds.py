"""Backgrounds of synthetic leaf photos: soil, sky, cloth or grass."""

from __future__ import annotations

import numpy as np

from phytoflow.data.synthetic.drawing import Array, colour, fractal, mix, noise, smoothstep


def draw_background(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    """Draws a background of a random kind: float32 [H, W, 3] in 0..1."""
    return (_soil, _sky, _cloth, _grass)[rng.integers(4)](rng, shape)


def _soil(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    base = colour(rng, (12, 45), (0.2, 0.55), (0.2, 0.5))
    grain = fractal(rng, shape, rng.uniform(12, 40), octaves=5)
    stones = smoothstep(noise(rng, shape, rng.uniform(8, 20)), 1.1, 1.3)
    ground = base * (1 + 0.22 * grain)[..., None]
    return mix(ground, colour(rng, (20, 50), (0.05, 0.3), (0.4, 0.7)), stones * 0.6)


def _sky(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    blue = colour(rng, (195, 225), (0.1, 0.55), (0.6, 0.95))
    white = np.full(3, rng.uniform(0.75, 0.95), np.float32)
    clouds = smoothstep(fractal(rng, shape, rng.uniform(80, 160)), rng.uniform(-1, 0.5), 1.5)
    height = np.linspace(1.0, rng.uniform(0.8, 1.1), shape[0], dtype=np.float32)[:, None, None]
    return mix(np.broadcast_to(blue, (*shape, 3)), white, clouds) * height


def _cloth(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    base = colour(rng, (0, 360), (0.02, 0.45), (0.2, 0.85))
    y, x = np.ogrid[: shape[0], : shape[1]]
    pitch, tilt = rng.uniform(2.5, 6), rng.uniform(-0.3, 0.3)
    weave = np.sin((x + tilt * y) * (2 * np.pi / pitch)) * np.sin((y - tilt * x) * (2 * np.pi / pitch))
    folds = noise(rng, shape, rng.uniform(60, 140))
    return base * (1 + 0.07 * weave.astype(np.float32) + 0.12 * folds)[..., None]


def _grass(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    dark = colour(rng, (70, 130), (0.35, 0.7), (0.1, 0.3))
    light = colour(rng, (55, 115), (0.3, 0.65), (0.35, 0.65))
    dry = colour(rng, (35, 55), (0.3, 0.5), (0.4, 0.65))
    blades = noise(rng, shape, rng.uniform(3, 7), aspect=rng.uniform(5, 10))
    blades = _lean(rng, blades + 0.6 * noise(rng, shape, rng.uniform(2, 4), aspect=12))
    lawn = mix(np.broadcast_to(dark, (*shape, 3)), light, smoothstep(blades, -0.8, 1.6))
    return mix(lawn, dry, smoothstep(noise(rng, shape, 6, aspect=6), 0.9, 1.8) * 0.7)


def _lean(rng: np.random.Generator, blades: Array) -> Array:
    """Shears upright blades of grass and bends them a little, each row by another amount."""
    height, width = blades.shape
    wind = np.linspace(0, rng.uniform(-0.8, 0.8) * height, height)
    sway = rng.uniform(2, 8) * np.sin(np.linspace(0, rng.uniform(2, 6), height))
    columns = np.arange(width) + (wind + sway).astype(int)[:, None]
    return np.take_along_axis(blades, columns % width, axis=1)
