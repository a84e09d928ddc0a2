"""Photos with another background, where the leaf can be told from its own.

What a model has learnt of backgrounds shows where they are changed and nothing else is (Xiao et al. 2021,
Noise or Signal: The Role of Image Backgrounds in Object Recognition).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageFilter

from phytoflow.data.synthetic.backgrounds import background
from phytoflow.evaluation.robustness.leaf_mask import Mask, Pixels, leaf_mask
from phytoflow.system.cpu import cpu_count
from phytoflow.system.threads import thread_map

_SEAM = 1.5  # pixels over which leaf and background mix


def masked_photos(photos: Sequence[Pixels]) -> dict[int, Mask]:
    """Masks of the photos that have a plausible one, by place in ``photos``."""
    masks = thread_map(leaf_mask, photos, cpu_count())
    return {place: mask for place, mask in enumerate(masks) if mask is not None}


def other_background(photo: Pixels, mask: Mask, severity: int, generator: np.random.Generator) -> Pixels:
    """Soil, sky, cloth or grass, drawn, behind the leaf: a fifth of it at severity 1, all of it at 5.

    Args:
        photo: uint8 [S, S, 3].
        mask: bool [S, S], the leaf.
        severity: 1 to 5.
        generator: Draws the background.
    """
    drawn = 255 * np.clip(background(generator, mask.shape), 0, 1)
    soft = Image.fromarray(~mask * np.uint8(255)).filter(ImageFilter.GaussianBlur(_SEAM))
    share = np.asarray(soft, np.float64)[..., None] / 255 * severity / 5
    return np.round(photo * (1 - share) + drawn * share).astype(np.uint8)
