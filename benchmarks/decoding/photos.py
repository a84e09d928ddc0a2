"""The photos that are decoded: a drawn leaf in several formats and sizes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pillow_heif
from PIL import Image, ImageCms

from phytoflow.data.images.icc import DISPLAY_P3, write_profile
from phytoflow.data.synthetic.dataset import draw_photo

_PHONE = (4032, 3024)  # 12 megapixels


def small_photos() -> dict[str, bytes]:
    """Everyday photos by what they are."""
    leaf = Image.open(io.BytesIO(draw_photo("rust", 1, seed=0)))
    square, phone = leaf.resize((256, 256)), leaf.resize(_PHONE)
    profile = write_profile(DISPLAY_P3)
    return {
        "JPEG of 256 pixels, no profile": _save(square, "JPEG", quality=90),
        "JPEG of 12 megapixels, no profile": _save(phone, "JPEG", quality=90),
        "PNG of 256 pixels, no profile": _save(square, "PNG"),
        "WebP of 256 pixels, no profile": _save(square, "WEBP"),
        "JPEG of 256 pixels, sRGB profile": _save(square, "JPEG", quality=90, icc_profile=_srgb()),
        "JPEG of 256 pixels, Display P3": _save(square, "JPEG", quality=90, icc_profile=profile),
        "JPEG of 12 megapixels, Display P3": _save(phone, "JPEG", quality=90, icc_profile=profile),
    }


def large_photos(size: tuple[int, int]) -> Iterator[tuple[str, bytes]]:
    """One large photo a format, made when it is asked for."""
    leaf = Image.open(io.BytesIO(draw_photo("rust", 1, seed=0))).resize(size)
    yield "JPEG", _save(leaf, "JPEG", quality=90)
    yield "JPEG, progressive", _save(leaf, "JPEG", quality=90, progressive=True)
    yield "PNG", _save(leaf, "PNG", compress_level=1)
    yield "TIFF, deflate", _save(leaf, "TIFF", compression="tiff_deflate")
    yield "HEIC", _save_heic(leaf)
    yield "AVIF", _save(leaf, "AVIF", quality=60, speed=10)
    yield "WebP", _save(leaf, "WEBP", quality=80, method=0)


def _save(image: Image.Image, image_format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, image_format, **options)
    return buffer.getvalue()


def _save_heic(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    pillow_heif.from_pillow(image).save(buffer, quality=60)
    return buffer.getvalue()


def _srgb() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
