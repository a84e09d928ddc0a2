"""Photos with an alpha channel or a transparent colour."""

from __future__ import annotations

from typing import Final

from PIL import Image

_ALPHA: Final = ("RGBA", "LA", "PA", "RGBa", "La")
_COLORS: Final = ("RGB", "L", "CMYK", "LAB")  # what a profile can be for


def has_alpha(image: Image.Image) -> bool:
    """Whether parts of a photo may be transparent."""
    return image.mode in _ALPHA or "transparency" in image.info


def remove_alpha(image: Image.Image) -> Image.Image:
    """Converts any mode to RGB, L, CMYK or LAB; what is transparent becomes white."""
    if has_alpha(image):
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    if image.mode in _COLORS:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")
