"""Replaces the background of photos whose leaf can be separated from it.

Changing the background and nothing else shows what a model has learnt from it (Xiao et al. 2021, Noise or
Signal: The Role of Image Backgrounds in Object Recognition).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from phytoflow.data.synthetic.backgrounds import draw_background
from phytoflow.evaluation.robustness.leaf_mask import Mask, Pixels, leaf_mask
from phytoflow.system.cpu import cpu_count
from phytoflow.system.threads import thread_map

_SEAM = 1.5  # pixels over which leaf and background are blended; a hard edge would be a corruption of its own


def masked_photos(photos: Sequence[Pixels]) -> dict[int, Mask]:
    """Masks of the photos that have a plausible one, by index in ``photos``."""
    masks = thread_map(leaf_mask, photos, cpu_count())
    return {index: mask for index, mask in enumerate(masks) if mask is not None}


def swap_background(photo: Pixels, mask: Mask, severity: int, generator: np.random.Generator) -> Pixels:
    """Blends drawn soil, sky, cloth or grass behind the leaf: 20% at severity 1, 100% at 5.

    Args:
        photo: uint8 [S, S, 3].
        mask: bool [S, S], true on the leaf.
        severity: 1 to 5.
        generator: Draws the background.
    """
    drawn = 255 * np.clip(draw_background(generator, mask.shape), 0, 1)
    soft = Image.fromarray(~mask * np.uint8(255)).filter(ImageFilter.GaussianBlur(_SEAM))
    share = np.asarray(soft, np.float64)[..., None] / 255 * severity / 5
    return np.round(photo * (1 - share) + drawn * share).astype(np.uint8)
