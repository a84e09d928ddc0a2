"""Where the leaf or plant is on a photo, where that can be told from colour alone.

Only photos whose middle stands out clearly from their edges get a mask: a wrong one would make the figures
of a changed background figures of something else.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from scipy import ndimage

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
_LEAST, _MOST = 0.08, 0.75  # of the photo
_CLEAR = 0.7  # of the variance between the two sides (Otsu's criterion, 0..1)
_EDGE, _MIDDLE = 0.25, 0.5  # at most of the photo's rim, and at least of its middle, is leaf
_BLUR = 2.0  # pixels
_BAY = 8  # pixels, half of the width of a bay that is closed


def leaf_mask(photo: Pixels) -> Mask | None:
    """The largest region that differs from the photo's rim in colour, holes filled.

    Each pixel's distance to the rim's typical colour is cut in two by Otsu's threshold (Otsu 1979).

    Args:
        photo: uint8 [S, S, 3].

    Returns:
        bool [S, S]; None where there is no plausible one.
    """
    distance = _distance(photo)
    threshold, clear = otsu(distance)
    regions, count = ndimage.label(distance > threshold)
    if clear < _CLEAR or not count:
        return None
    largest = 1 + int(np.argmax(np.bincount(regions.ravel())[1:]))
    mask = _rounded(regions == largest)
    return mask if _plausible(mask) else None


def otsu(values: NDArray[np.float64]) -> tuple[float, float]:
    """The threshold that parts values best, and the share of their variance that lies between the parts.

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


def _rounded(region: Mask) -> Mask:
    """Without threads of background, with the holes and bays that spots on a leaf leave."""
    grown = np.pad(ndimage.binary_opening(region, iterations=2), _BAY)
    closed = ndimage.binary_closing(grown, ndimage.generate_binary_structure(2, 1), iterations=_BAY)
    filled: Mask = ndimage.binary_fill_holes(closed)
    return filled[_BAY:-_BAY, _BAY:-_BAY]


def _distance(photo: Pixels) -> NDArray[np.float64]:
    """Of each pixel's colour to that of the rim, float64 [S, S], in the rim's own spread."""
    smooth = np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(_BLUR)), np.float64)
    colours = np.stack(
        [smooth.mean(-1), smooth[..., 1] - smooth[..., 0], smooth[..., 1] - smooth[..., 2]], -1
    )
    rim = colours[_rim(photo.shape[0])]
    return np.linalg.norm((colours - np.median(rim, axis=0)) / (rim.std(axis=0) + 8), axis=-1)


def _plausible(mask: Mask) -> bool:
    size = mask.shape[0]
    middle = mask[size // 3 : -(size // 3), size // 3 : -(size // 3)]
    return bool(
        _LEAST <= mask.mean() <= _MOST and mask[_rim(size)].mean() <= _EDGE and middle.mean() >= _MIDDLE
    )


def _rim(size: int) -> Mask:
    inside = np.zeros((size, size), bool)
    width = max(1, size // 20)
    inside[width:-width, width:-width] = True
    return ~inside
