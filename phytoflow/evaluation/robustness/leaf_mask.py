"""Segments the leaf or plant on a photo by colour alone.

Only photos whose middle differs clearly from their border get a mask. A wrong mask would make the accuracy
with another background the accuracy of something else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import ndimage

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
_MIN_AREA, _MAX_AREA = 0.08, 0.75  # of the photo
_MIN_SEPARATION = 0.7  # share of the variance between leaf and background (Otsu's criterion, 0..1)
_MAX_AT_BORDER, _MIN_IN_MIDDLE = 0.25, 0.5  # how much of the border may, and of the middle must, be leaf
_BLUR = 2.0  # pixels; removes grain that colour alone would mistake for leaf
_CLOSING = 8  # pixels; gaps up to twice as wide, left by spots on the leaf, are closed


def leaf_mask(photo: Pixels) -> Mask | None:
    """The largest region that differs from the photo's border in colour, with holes filled.

    The distance of each pixel's colour to the border's median colour is thresholded (Otsu 1979).

    Args:
        photo: uint8 [S, S, 3].

    Returns:
        bool [S, S], true on the leaf; None if there is no plausible mask.
    """
    distance = _distance(photo)
    threshold, separation = otsu(distance)
    regions, count = ndimage.label(distance > threshold)
    if separation < _MIN_SEPARATION or not count:
        return None
    largest = 1 + int(np.argmax(np.bincount(regions.ravel())[1:]))
    mask = _smooth(regions == largest)
    return mask if _plausible(mask) else None


def otsu(values: NDArray[np.float64]) -> tuple[float, float]:
    """The threshold that separates values best, and the share of their variance between the two sides.

    Args:
        values: float64, any shape.
    """
    counts, edges = np.histogram(values, bins=128)
    middles, shares = (edges[:-1] + edges[1:]) / 2, counts / counts.sum()
    below, sums = np.cumsum(shares), np.cumsum(shares * middles)
    mean, weight = sums[-1], below * (1 - below)
    between = np.divide((mean * below - sums) ** 2, weight, out=np.zeros_like(weight), where=weight > 1e-9)
    variance = float((shares * (middles - mean) ** 2).sum())
    best = int(between.argmax())
    return float(edges[best + 1]), float(between[best]) / variance if variance > 0 else 0.0


def _smooth(region: Mask) -> Mask:
    """Removes thin threads of background, and fills the holes and gaps that spots on a leaf leave."""
    opened = np.pad(ndimage.binary_opening(region, iterations=2), _CLOSING)
    closed = ndimage.binary_closing(opened, ndimage.generate_binary_structure(2, 1), iterations=_CLOSING)
    filled: Mask = ndimage.binary_fill_holes(closed)
    return filled[_CLOSING:-_CLOSING, _CLOSING:-_CLOSING]


def _distance(photo: Pixels) -> NDArray[np.float64]:
    """Distance of each pixel's colour to the border's, float64 [S, S], in units of the border's spread."""
    smooth = np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(_BLUR)), np.float64)
    colours = np.stack(
        [smooth.mean(-1), smooth[..., 1] - smooth[..., 0], smooth[..., 1] - smooth[..., 2]], -1
    )
    border = colours[_border(photo.shape[0])]
    return np.linalg.norm((colours - np.median(border, axis=0)) / (border.std(axis=0) + 8), axis=-1)


def _plausible(mask: Mask) -> bool:
    size = mask.shape[0]
    middle = mask[size // 3 : -(size // 3), size // 3 : -(size // 3)]
    placed = mask[_border(size)].mean() <= _MAX_AT_BORDER and middle.mean() >= _MIN_IN_MIDDLE
    return bool(_MIN_AREA <= mask.mean() <= _MAX_AREA and placed)


def _border(size: int) -> Mask:
    inside = np.zeros((size, size), bool)
    width = max(1, size // 20)
    inside[width:-width, width:-width] = True
    return ~inside
