"""Version 1 of the decoder, for bundles whose models were trained with it.

It takes all colours for sRGB, and samples for as deep as their container.
"""

from __future__ import annotations

import contextlib

import numpy as np
from PIL import Image, ImageOps

from phytoflow.data.images.orientation import SWAPS_SIDES, orientation_of
from phytoflow.data.images.transparency import has_alpha, remove_alpha


def decode_version_1(image: Image.Image) -> tuple[Image.Image, bool]:
    """Returns the photo as RGB, and whether its width and height changed places."""
    image.load()
    turned = orientation_of(image) in SWAPS_SIDES
    return _rgb(_upright(image)), turned


def copied_bytes(image: Image.Image) -> int:
    """Bytes a pixel that this version takes for copies of a photo; version 2 converts rows in turn."""
    if image.mode.startswith(("I", "F")):
        return 24  # three arrays of doubles
    return 8 if has_alpha(image) else 0  # the photo and white, as RGBA


def _upright(image: Image.Image) -> Image.Image:
    with contextlib.suppress(Exception):  # damaged EXIF, as in orientation_of
        ImageOps.exif_transpose(image, in_place=True)  # or it would copy what need not be turned
    return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode.startswith(("I", "F")):
        return _from_deep(image)
    return remove_alpha(image).convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """The upper 8 of 16 bits; floats in 0..1 are shares of white."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    top = values.max(initial=0)
    scale = 255.0 if image.mode == "F" and top <= 1 else (1 / 257 if top > 255 else 1.0)
    grey = np.clip(values * scale, 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")
