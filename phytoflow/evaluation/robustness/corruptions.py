"""Corruptions that photos taken outdoors suffer from, at five severities (after Hendrycks & Dietterich 2019).

Each function takes a photo as the network sees it, uint8 [S, S, 3], a severity from 1 to 5 and a random
generator, and returns a photo of the same shape.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]
Corruption = Callable[[Pixels, int, np.random.Generator], Pixels]
SEVERITIES = (1, 2, 3, 4, 5)


def _blur(photo: Pixels, severity: int, _: np.random.Generator) -> Pixels:
    radius = (0.6, 1.0, 1.6, 2.4, 3.5)[severity - 1]
    return np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(radius)))


def _noise(photo: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    sigma = (8, 14, 22, 34, 50)[severity - 1]
    return _bytes(photo + generator.normal(0, sigma, photo.shape))


def _jpeg(photo: Pixels, severity: int, _: np.random.Generator) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG", quality=(60, 40, 25, 15, 8)[severity - 1])
    return np.asarray(Image.open(buffer))


def _exposure(photo: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """Under- or overexposure by up to 1.5 stops; values beyond white are clipped."""
    stops = (0.3, 0.6, 0.9, 1.2, 1.5)[severity - 1]
    return _bytes(photo * 2.0 ** (stops if generator.random() < 0.5 else -stops))


def _colour_cast(photo: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    strength = (0.06, 0.12, 0.18, 0.25, 0.33)[severity - 1]
    warm = strength if generator.random() < 0.5 else -strength
    return _bytes(photo * np.array([1 + warm, 1, 1 - warm]))


def _shadow(photo: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """A soft-edged shadow on one side of a random line."""
    darkness = (0.2, 0.35, 0.5, 0.62, 0.75)[severity - 1]
    y, x = np.mgrid[-1 : 1 : photo.shape[0] * 1j, -1 : 1 : photo.shape[1] * 1j]
    angle = generator.uniform(0, 2 * np.pi)
    beyond = x * np.cos(angle) + y * np.sin(angle) - generator.uniform(-0.3, 0.3)
    return _bytes(photo * (1 - darkness / (1 + np.exp(-30 * beyond)))[:, :, None])


def _occlusion(photo: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """A square in the photo's mean colour at a random place, 4% to 36% of the area: a finger or a stalk."""
    side = round(photo.shape[0] * (0.2, 0.3, 0.4, 0.5, 0.6)[severity - 1])
    y, x = generator.integers(0, photo.shape[0] - side + 1, 2)
    covered = photo.copy()
    covered[y : y + side, x : x + side] = photo.mean(axis=(0, 1)).astype(np.uint8)
    return covered


def _rotation(photo: Pixels, severity: int, generator: np.random.Generator) -> Pixels:
    """Rotation either way; corners are filled with the mirrored photo, because black ones would be a cue."""
    degrees = (10, 25, 45, 70, 90)[severity - 1] * (1 if generator.random() < 0.5 else -1)
    margin = photo.shape[0] // 2
    wide = np.pad(photo, ((margin, margin), (margin, margin), (0, 0)), "reflect")
    turned = np.asarray(Image.fromarray(wide).rotate(degrees, Image.Resampling.BILINEAR))
    return turned[margin:-margin, margin:-margin][: photo.shape[0], : photo.shape[1]]


def _bytes(values: NDArray[np.float64]) -> Pixels:
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


CORRUPTIONS: dict[str, Corruption] = {
    "blur": _blur,
    "noise": _noise,
    "JPEG": _jpeg,
    "exposure": _exposure,
    "colour cast": _colour_cast,
    "shadow": _shadow,
    "occlusion": _occlusion,
    "rotation": _rotation,
}
