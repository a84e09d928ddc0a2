"""The leaf of a synthetic photo: its outline, veins, colour and the light on it.

Everything is computed per pixel in the leaf's own coordinates, so that edges are smooth without
supersampling.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from phytoflow.data.synthetic.drawing import Array, colour, fractal, mix, noise, smoothstep

_STEPS = 2048  # samples of an outline from base to tip: more than a leaf has pixels


@dataclass(frozen=True)
class Leaf:
    """A leaf, pixel by pixel of its photo; every array is float32 [H, W].

    Attributes:
        length: From base to tip, pixels.
        along: Position along the midrib: 0 at the base, 1 at the tip.
        across: Signed distance from the midrib, pixels.
        depth: Distance from the margin, measured across the leaf, pixels; negative outside.
        cover: Share of the pixel that the leaf covers, 0..1.
        veins: Strength of the veins, 0..1.
        stalk: Share of the pixel that the stalk covers, 0..1.
    """

    length: float
    along: Array
    across: Array
    depth: Array
    cover: Array
    veins: Array
    stalk: Array


def draw_leaf(rng: np.random.Generator, shape: tuple[int, int]) -> Leaf:
    """Draws a leaf of random shape (lanceolate, ovate, lobed or serrate), size, position, angle and bend."""
    length = rng.uniform(0.84, 1.08) * min(shape)
    along, across = _leaf_coordinates(rng, shape, length)
    place = np.clip(along * (_STEPS - 1), 0, _STEPS - 1).astype(np.int32)
    half_width = (_outline(rng) * np.float32(length))[place]
    half_width = np.where(across < 0, half_width * np.float32(rng.uniform(0.85, 1.15)), half_width)
    depth = np.where((along > 0) & (along < 1), half_width - np.abs(across), -1).astype(np.float32)
    stalk = np.clip(0.012 * length - np.abs(across) + 0.5, 0, 1) * ((along <= 0.02) & (along > -0.3))
    veins = _veins(rng, along, across, half_width, length)
    return Leaf(length, along, across, depth, np.clip(depth + 0.5, 0, 1), veins, stalk.astype(np.float32))


def paint_leaf(rng: np.random.Generator, leaf: Leaf) -> Array:
    """Paints a healthy leaf, from deep green to yellowish: float32 [H, W, 3]."""
    shape = leaf.along.shape
    green = colour(rng, (62, 125), (0.35, 0.75), (0.28, 0.62))
    surface = green * (1 + 0.07 * fractal(rng, shape, leaf.length / 8, octaves=4))[..., None]
    surface = mix(surface, colour(rng, (48, 75), (0.35, 0.7), (0.5, 0.75)), _yellowing(rng, leaf))
    vein_colour = green * 0.6 + 0.4 * colour(rng, (60, 90), (0.15, 0.4), (0.6, 0.85))
    return mix(surface, vein_colour, leaf.veins * rng.uniform(0.35, 0.8))


def light_leaf(rng: np.random.Generator, leaf: Leaf, surface: Array) -> Array:
    """Lights the surface: relief of the veins, slopes of the two halves, gloss."""
    slope = rng.uniform(-0.18, 0.18)
    halves = slope * np.tanh(leaf.across / (0.06 * leaf.length))
    relief = np.gradient(leaf.veins, axis=1) * rng.uniform(-0.5, 0.5)
    waves = rng.uniform(0.0, 0.1) * noise(rng, leaf.along.shape, leaf.length / 5)
    lit = surface * (1 + halves + relief + waves)[..., None]
    gloss = smoothstep(noise(rng, leaf.along.shape, leaf.length / 4), 0.6, 2.2) * rng.uniform(0, 0.35)
    return mix(lit, np.ones(3, np.float32), gloss.astype(np.float32)).astype(np.float32)


def _leaf_coordinates(rng: np.random.Generator, shape: tuple[int, int], length: float) -> tuple[Array, Array]:
    height, width = shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x -= width / 2 + rng.uniform(-0.06, 0.06) * width
    y -= height / 2 + rng.uniform(-0.06, 0.06) * height
    angle = rng.uniform(0, 2 * np.pi)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    along = (x * cos + y * sin) / np.float32(length) + np.float32(0.5)
    across = y * cos - x * sin
    bend = np.float32(rng.uniform(-0.14, 0.14) * length)
    return along, across + bend * (4 * along * (1 - along) - np.float32(0.5))


def _outline(rng: np.random.Generator) -> Array:
    """Returns half the leaf's width divided by its length, at ``_STEPS`` positions from base to tip."""
    kind = str(rng.choice(["lanceolate", "ovate", "lobed", "serrate"]))
    u = np.linspace(0, 1, _STEPS, dtype=np.float32)
    widest = {"lanceolate": (0.13, 0.2), "lobed": (0.28, 0.38)}.get(kind, (0.22, 0.32))
    form = np.maximum(np.sin(np.pi * u ** rng.uniform(0.6, 1.1)), 0) ** rng.uniform(0.75, 1.1)
    if kind == "lobed":
        form = form * (0.72 + 0.28 * np.abs(np.sin(np.pi * u * rng.integers(3, 6) + rng.uniform(0, 1))))
    if kind == "serrate":
        form = form * (1 + 0.09 * ((u * rng.integers(14, 26)) % 1 - 0.5))
    return (form * rng.uniform(*widest)).astype(np.float32)


def _veins(rng: np.random.Generator, along: Array, across: Array, half_width: Array, length: float) -> Array:
    away = np.abs(across) / np.float32(length)
    phase = (along - away ** np.float32(1.15) * np.float32(rng.uniform(0.7, 1.5))) * rng.integers(7, 13)
    phase = phase + np.where(across > 0, np.float32(rng.uniform(0, 1)), np.float32(0))
    side = np.abs(phase - np.round(phase))
    sides = np.exp(-((side / 0.06) ** 2)) * smoothstep(half_width / length - away, 0, 0.04)
    midrib = np.exp(-((away / np.clip(0.012 * (1.1 - along), 0.003, 1)) ** 2))
    return np.maximum(0.7 * sides, midrib).astype(np.float32)


def _yellowing(rng: np.random.Generator, leaf: Leaf) -> Array:
    """Returns ageing that spreads smoothly from the tip or margin; it occurs in every class alike."""
    if rng.random() < 0.45:
        return np.zeros_like(leaf.along)
    spread = leaf.along if rng.random() < 0.5 else 1 - leaf.depth / leaf.length * 6
    spread = spread + 0.25 * noise(rng, leaf.along.shape, leaf.length / 3)
    return (smoothstep(spread, rng.uniform(0.0, 0.6), 1.3) * rng.uniform(0.3, 0.9)).astype(np.float32)
