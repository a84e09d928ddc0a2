"""Bytes to an upright RGB image: the one decoder of training, evaluation and serving.

Formats are JPEG, PNG, WebP, TIFF and BMP. The size is checked before a pixel is decoded, so that a
decompression bomb costs nothing; the first frame of an animation is taken.
"""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from phytoflow.errors import PhotoError

FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
_REMEDY = "open the file in an image viewer; save it again as JPEG or PNG, or remove it"

# Pillow's own bomb check only warns, and at another limit: ours, below, refuses before decoding.
Image.MAX_IMAGE_PIXELS = None
Image.init()  # all format plugins: a restricted open looks only among those loaded


@dataclass(frozen=True)
class Limits:
    """What a photo may cost.

    Attributes:
        max_bytes: Largest encoded size.
        max_pixels: Largest width times height.
        min_side: Smallest width or height, pixels.
    """

    max_bytes: int = 64 * 2**20
    max_pixels: int = 100_000_000
    min_side: int = 1


def open_photo(content: bytes, limits: Limits) -> Image.Image:
    """Opens a photo without decoding its pixels: size, mode and format are known afterwards.

    Raises:
        PhotoError: With reason ``empty``, ``too_many_bytes``, ``not_an_image``, ``too_many_pixels``
            or ``too_small``.
    """
    if not content:
        raise PhotoError("the file is empty (0 bytes)", reason="empty", remedy=_REMEDY)
    if len(content) > limits.max_bytes:
        what = f"{len(content)} bytes, more than the {limits.max_bytes} allowed"
        raise PhotoError(what, reason="too_many_bytes", remedy="reduce the photo, or raise the limit")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError as error:
        what = f"not an image of a known format ({', '.join(FORMATS)})"
        raise PhotoError(what, reason="not_an_image", remedy=_REMEDY) from error
    except Exception as error:  # Pillow's parsers raise whatever a malformed header provokes
        raise PhotoError(f"damaged header: {_short(error)}", reason="corrupt", remedy=_REMEDY) from error
    _check_size(image.size, limits)
    return image


def decode(content: bytes, limits: Limits = Limits(), size_hint: int | None = None) -> Image.Image:
    """Decodes a photo to RGB, turned upright by its EXIF orientation.

    Args:
        content: The encoded photo.
        limits: What it may cost.
        size_hint: Shorter side, in pixels, that the caller will reduce it to. A JPEG far larger is then
            decoded at 1/2, 1/4 or 1/8 of its size, never below the hint.

    Raises:
        PhotoError: The photo cannot be used; see its ``reason``.
    """
    image = open_photo(content, limits)
    try:
        if size_hint:
            image.draft("RGB", _draft_size(image.size, size_hint))
        image.load()
        return _rgb(_upright(image))
    except Exception as error:  # as above: a damaged body raises anything
        reason = "truncated" if "truncated" in str(error).lower() else "corrupt"
        raise PhotoError(f"{reason} image data: {_short(error)}", reason=reason, remedy=_REMEDY) from error


def _check_size(size: tuple[int, int], limits: Limits) -> None:
    width, height = size
    if width * height > limits.max_pixels:
        what = f"{width} x {height} pixels, more than the {limits.max_pixels} allowed"
        raise PhotoError(what, reason="too_many_pixels", remedy="reduce the photo, or raise the limit")
    if min(size) < limits.min_side:
        what = f"{width} x {height} pixels; the shorter side must have {limits.min_side}"
        raise PhotoError(what, reason="too_small", remedy="use the original photo, not a thumbnail")


def _draft_size(size: tuple[int, int], shorter: int) -> tuple[int, int]:
    """The whole image's size once its shorter side is ``shorter``: draft never goes below it."""
    scale = shorter / min(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _upright(image: Image.Image) -> Image.Image:
    with contextlib.suppress(Exception):  # damaged EXIF is no reason to lose the photo: it stays as stored
        ImageOps.exif_transpose(image, in_place=True)  # or it would copy what need not be turned
    return image


def _rgb(image: Image.Image) -> Image.Image:
    if image.mode == "RGB":
        return image
    if image.mode.startswith(("I", "F")):
        return _from_deep(image)
    if image.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    return image.convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """16- and 32-bit grey: the top 8 of 16 bits; floats in 0..1 are taken as shares of white."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    top = values.max(initial=0)
    scale = 255.0 if image.mode == "F" and top <= 1 else (1 / 257 if top > 255 else 1.0)
    grey = np.clip(values * scale, 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:120]}"
