"""EXIF orientation: how a photo is turned upright."""

from __future__ import annotations

from typing import Final

from PIL import ExifTags, Image, TiffImagePlugin

_TRANSPOSE: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
SWAPS_SIDES: Final = (5, 6, 7, 8)
"""Orientations of which width and height change places."""


def orientation_of(image: Image.Image) -> int:
    """EXIF orientation that is still to be applied: 1 to 8; 1 where there is none.

    Pillow turns a TIFF itself while loading it, and reports its upright size.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return 1
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF is no reason to lose the photo: it stays as it is stored
        return 1


def turn_upright(image: Image.Image, orientation: int) -> Image.Image:
    """Turns a photo by its EXIF orientation; 1 and unknown values leave it as it is."""
    return image.transpose(_TRANSPOSE[orientation]) if orientation in _TRANSPOSE else image
