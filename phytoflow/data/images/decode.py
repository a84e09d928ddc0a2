"""Encoded photo to an upright RGB image: the one decoder of training, evaluation and serving.

Reads JPEG, PNG, WebP, TIFF, BMP, HEIC and AVIF. The size is checked before a pixel is decoded, so that a
decompression bomb costs nothing; of an animation the first frame is taken.

The decoder has versions, because a bundle must go on decoding as it did when its model was trained
(``Preprocessing.decoder``). Version 1 takes all colours for sRGB, and samples for as deep as their container.
Version 2 converts colour profiles to sRGB, scales samples by their depth, and reduces large photos of any
format while they are decoded.
"""

from __future__ import annotations

import io
from typing import Final, Literal, NamedTuple

from PIL import Image, UnidentifiedImageError

from phytoflow.data.images import heif
from phytoflow.data.images.color import profile_of, to_srgb
from phytoflow.data.images.decoder_version_1 import copied_bytes, decode_version_1
from phytoflow.data.images.depth import is_deep, load_eight_bits
from phytoflow.data.images.formats import REMEDY, is_iso_media, refuse_camera_raw, unreadable
from phytoflow.data.images.limits import Limits
from phytoflow.data.images.memory import DECODING, bytes_per_pixel, decoding_bytes
from phytoflow.data.images.orientation import SWAPS_SIDES, orientation_of, turn_upright
from phytoflow.data.images.transparency import remove_alpha
from phytoflow.errors import PhotoError

FORMATS: Final = ("JPEG", "PNG", "WEBP", "TIFF", "BMP")
DecoderVersion = Literal[1, 2]
DECODER_VERSION: Final[DecoderVersion] = 2

# Pillow's own bomb check only warns, and at another limit: ours refuses before decoding.
Image.MAX_IMAGE_PIXELS = None
Image.init()  # all format plugins: a restricted open looks only among those loaded

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
    copies = copied_bytes(image) if version == 1 else 0
    limits.check_size(*whole, kind=str(image.format), bytes_per_pixel=bytes_per_pixel(image) + copies)
    try:
        if size_hint:
            image.draft("RGB", _draft_size(image.size, size_hint))
        with DECODING.reserve(decoding_bytes(image, whole) + copies * image.width * image.height):
            if version == 1:
                decoded, turned = decode_version_1(image)
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
    profile, orientation = profile_of(opened), orientation_of(opened)
    factor = min(image.size) // (_MARGIN * size_hint) if size_hint else 1
    image = _reduce(image, factor) if factor > 1 else remove_alpha(image)
    image = turn_upright(image, orientation)
    image = to_srgb(image, profile)
    if image is not opened:
        opened.close()  # frees its pixels before the next photo takes memory from the budget
    return image, orientation in SWAPS_SIDES


def _load(image: Image.Image) -> Image.Image:
    image.load()
    return image


def _reduce(image: Image.Image, factor: int) -> Image.Image:
    """Reduces a photo by a whole factor, some rows at a time: no second whole photo is made."""
    rows = _ROWS - _ROWS % factor or factor
    strips = [
        remove_alpha(image.crop((0, top, image.width, min(top + rows, image.height)))).reduce(factor)
        for top in range(0, image.height, rows)
    ]
    reduced = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    for number, strip in enumerate(strips):
        reduced.paste(strip, (0, number * rows // factor))
    return reduced


def _draft_size(size: tuple[int, int], shorter: int) -> tuple[int, int]:
    """The whole image's size once its shorter side is ``shorter``: draft never goes below it."""
    scale = shorter / min(size)
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _short(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:120]}"
