"""Encoded photo to an upright RGB image: the one decoder of training, evaluation and serving.

Reads JPEG, PNG, WebP, TIFF, BMP, HEIC and AVIF. The size is checked before a pixel is decoded, so that a
decompression bomb costs nothing; of an animation the first frame is taken.

The decoder has versions, because a bundle must go on decoding as it did when its model was trained
(``Preprocessing.decoder``). Version 1 takes all colours for sRGB, and samples for as deep as their container.
Version 2 converts colour profiles to sRGB, scales samples by their depth, and reduces large photos of any
format while they are decoded.
"""

from __future__ import annotations

import contextlib
import io
from typing import Final, Literal, NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageOps, TiffImagePlugin, UnidentifiedImageError

from phytoflow.data.images import heif
from phytoflow.data.images.color import profile_of, to_srgb
from phytoflow.data.images.depth import is_deep, load_eight_bits
from phytoflow.data.images.formats import REMEDY, is_iso_media, refuse_camera_raw, unreadable
from phytoflow.data.images.limits import Limits
from phytoflow.data.images.memory import DECODING, bytes_per_pixel, decoding_bytes
from phytoflow.errors import PhotoError

FORMATS: Final = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
DecoderVersion = Literal[1, 2]
DECODER_VERSION: Final[DecoderVersion] = 2

# Pillow's own bomb check only warns, and at another limit: ours refuses before decoding.
Image.MAX_IMAGE_PIXELS = None
Image.init()  # all format plugins: a restricted open looks only among those loaded

_TRANSPOSE: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SWAPS_SIDES: Final = (5, 6, 7, 8)
_ALPHA: Final = ("RGBA", "LA", "PA", "RGBa", "La")
_COLORS: Final = ("RGB", "L", "CMYK", "LAB")  # what a profile can be for
_MARGIN: Final = 2  # a photo is reduced to no less than this times the hint, for the filter that follows
_ROWS: Final = 512  # of a large photo that are converted at a time


def open_photo(content: bytes, limits: Limits = Limits()) -> Image.Image:  # noqa: B008 (frozen)
    """Opens a photo without decoding its pixels: size, mode and format are known afterwards.

    Raises:
        PhotoError: With the reason ``empty``, ``too_many_bytes``, ``unsupported_format``, ``not_an_image``,
            ``corrupt``, ``too_many_pixels`` or ``too_small``.
    """
    limits.check_bytes(len(content))
    formats = heif.formats() if is_iso_media(content) else FORMATS
    try:
        image = Image.open(io.BytesIO(content), formats=formats)
        refuse_camera_raw(image)
    except UnidentifiedImageError as error:
        raise unreadable(content, "HEIF" in heif.formats(), "AVIF" in heif.formats()) from error
    except PhotoError:
        raise
    except Exception as error:  # Pillow's parsers raise whatever a malformed header provokes
        raise PhotoError(f"damaged header: {_short(error)}", reason="corrupt", remedy=REMEDY) from error
    limits.check_size(*image.size, kind=str(image.format), bytes_per_pixel=bytes_per_pixel(image))
    return image


class DecodedPhoto(NamedTuple):
    """A photo that was decoded.

    Attributes:
        image: RGB, upright, perhaps smaller than the file's.
        size: Width and height of the whole photo in pixels, upright.
    """

    image: Image.Image
    size: tuple[int, int]


def decode(
    content: bytes,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    size_hint: int | None = None,
    *,
    version: DecoderVersion = DECODER_VERSION,
    sample_bits: int | None = None,
) -> Image.Image:
    """Decodes a photo to RGB, turned upright as its file says: ``read_photo`` without the size."""
    return read_photo(content, limits, size_hint, version=version, sample_bits=sample_bits).image


def read_photo(
    content: bytes,
    limits: Limits = Limits(),  # noqa: B008 (frozen)
    size_hint: int | None = None,
    *,
    version: DecoderVersion = DECODER_VERSION,
    sample_bits: int | None = None,
) -> DecodedPhoto:
    """Decodes a photo to RGB, turned upright as its file says.

    Args:
        content: The encoded photo.
        limits: Maximum size.
        size_hint: Shorter side, in pixels, that the caller will reduce it to. A photo far larger is then
            reduced while it is decoded, never below the hint.
        version: Of the decoder; see the module.
        sample_bits: Bits of samples in files of more than 8 bits that state no depth; None: judged by the
            photo's own samples. For version 2.

    Raises:
        PhotoError: The photo cannot be used; see its ``reason``.
    """
    image = open_photo(content, limits)
    whole = image.size
    copies = _copied_bytes_1(image) if version == 1 else 0
    limits.check_size(*whole, kind=str(image.format), bytes_per_pixel=bytes_per_pixel(image) + copies)
    try:
        if size_hint:
            image.draft("RGB", _draft_size(image.size, size_hint))
        with DECODING.reserve(decoding_bytes(image, whole) + copies * image.width * image.height):
            if version == 1:
                decoded, turned = _decode_1(image)
            else:
                decoded, turned = _decode_2(image, content, size_hint, sample_bits)
            return DecodedPhoto(decoded, whole[::-1] if turned else whole)
    except Exception as error:  # as above: a damaged body raises anything
        reason = "truncated" if "truncated" in str(error).lower() else "corrupt"
        raise PhotoError(f"{reason} image data: {_short(error)}", reason=reason, remedy=REMEDY) from error


def _decode_2(
    opened: Image.Image, content: bytes, size_hint: int | None, sample_bits: int | None
) -> tuple[Image.Image, bool]:
    """Version 2: the photo, and whether its width and height changed places."""
    image = load_eight_bits(opened, content, sample_bits) if is_deep(opened) else _load(opened)
    # Once it is loaded: a PNG may have its EXIF behind the pixels.
    profile, orientation = profile_of(opened), _orientation(opened)
    factor = min(image.size) // (_MARGIN * size_hint) if size_hint else 1
    image = _reduce(image, factor) if factor > 1 else _opaque(image)
    if orientation in _TRANSPOSE:
        image = image.transpose(_TRANSPOSE[orientation])
    image = to_srgb(image, profile)
    if image is not opened:
        opened.close()  # frees its pixels before the next photo takes memory from the budget
    return image, orientation in _SWAPS_SIDES


def _load(image: Image.Image) -> Image.Image:
    image.load()
    return image


def _reduce(image: Image.Image, factor: int) -> Image.Image:
    """Reduces a photo by a whole factor, some rows at a time: no second whole photo is made."""
    rows = _ROWS - _ROWS % factor or factor
    strips = [
        _opaque(image.crop((0, top, image.width, min(top + rows, image.height)))).reduce(factor)
        for top in range(0, image.height, rows)
    ]
    reduced = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    for number, strip in enumerate(strips):
        reduced.paste(strip, (0, number * rows // factor))
    return reduced


def _opaque(image: Image.Image) -> Image.Image:
    """Any mode to one of ``_COLORS``; what is transparent becomes white."""
    if image.mode in _ALPHA or "transparency" in image.info:
        rgba = image.convert("RGBA")
        white = Image.new("RGBA", rgba.size, "white")
        return Image.alpha_composite(white, rgba).convert("RGB")
    if image.mode in _COLORS:
        return image
    return image.convert("L" if image.mode == "1" else "RGB")


def _orientation(image: Image.Image) -> int:
    """EXIF orientation that is still to be applied: 1 to 8; 1 where there is none.

    Pillow turns a TIFF itself while loading it, and reports its upright size.
    """
    if isinstance(image, TiffImagePlugin.TiffImageFile):
        return 1
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF is no reason to lose the photo: it stays as it is stored
        return 1


def _draft_size(size: tuple[int, int], shorter: int) -> tuple[int, int]:
    """The whole image's size once its shorter side is ``shorter``: draft never goes below it."""
    scale = shorter / min(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _decode_1(image: Image.Image) -> tuple[Image.Image, bool]:
    """Version 1: the photo, and whether its width and height changed places."""
    image.load()
    turned = _orientation(image) in _SWAPS_SIDES
    return _rgb(_upright(image)), turned


def _copied_bytes_1(image: Image.Image) -> int:
    """Memory a pixel that version 1 takes for copies of a photo; version 2 converts rows in turn."""
    if image.mode.startswith(("I", "F")):
        return 24  # three arrays of doubles
    return 8 if image.mode in _ALPHA or "transparency" in image.info else 0  # the photo and white, as RGBA


def _upright(image: Image.Image) -> Image.Image:
    with contextlib.suppress(Exception):  # damaged EXIF, as in _orientation
        ImageOps.exif_transpose(image, in_place=True)  # or it would copy what need not be turned
    return image


def _rgb(image: Image.Image) -> Image.Image:
    """Version 1."""
    if image.mode == "RGB":
        return image
    if image.mode.startswith(("I", "F")):
        return _from_deep(image)
    return _opaque(image).convert("RGB")


def _from_deep(image: Image.Image) -> Image.Image:
    """Version 1: the upper 8 of 16 bits; floats in 0..1 are shares of white."""
    values = np.nan_to_num(np.asarray(image, dtype=np.float64))
    top = values.max(initial=0)
    scale = 255.0 if image.mode == "F" and top <= 1 else (1 / 257 if top > 255 else 1.0)
    grey = np.clip(values * scale, 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:120]}"
