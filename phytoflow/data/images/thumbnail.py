"""Small pictures of photos for pages that people read."""

from __future__ import annotations

import io

from PIL import Image

from phytoflow.data.images.decode import decode
from phytoflow.data.images.limits import Limits

JPEG_QUALITY = 82


def thumbnail(content: bytes, side: int, limits: Limits = Limits()) -> bytes:  # noqa: B008 (frozen)
    """Makes a small JPEG of an encoded photo, upright, in proportion.

    Args:
        content: The encoded photo.
        side: Width and height that it does not exceed, pixels; a smaller photo stays as small as it is.
        limits: What the photo may cost.

    Raises:
        PhotoError: The photo cannot be used.
    """
    image = decode(content, limits, size_hint=side)
    image.thumbnail((side, side), Image.Resampling.BICUBIC)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return buffer.getvalue()
