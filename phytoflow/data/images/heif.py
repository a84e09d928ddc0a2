"""HEIC and AVIF: which decoders are installed, and how they are set up.

HEIC is decoded by pi-heif (libheif with libde265, no encoder), AVIF by Pillow's own plugin. libheif's
security limits stay on. Both turn the photo as its container says (the boxes ``irot`` and ``imir``); libheif
does it while it decodes and pi-heif then clears the orientation in EXIF, so that it is not applied again.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from PIL import AvifImagePlugin, features

# Photos are decoded in parallel, each by one thread: more would only compete with the predictor's workers.
_THREADS = 1


@cache
def formats() -> tuple[str, ...]:
    """Names of Pillow's formats among AVIF and HEIF that can be read here; registers their plugins."""
    return ("AVIF",) * _prepare_avif() + ("HEIF",) * _register_heif()


def _prepare_avif() -> bool:
    AvifImagePlugin.DEFAULT_MAX_THREADS = _THREADS
    return bool(features.check("avif"))


def _register_heif() -> bool:
    try:
        import pi_heif
        from pi_heif import heif
    except ImportError:
        return False
    heif.HeifImage = _without_metadata(heif.HeifImage)
    # Thumbnails, depth maps and other auxiliary pictures are not used: they are not even listed.
    pi_heif.register_heif_opener(
        decode_threads=_THREADS, thumbnails=False, depth_images=False, aux_images=False
    )
    return True


def _without_metadata(image_class: Any) -> Any:
    """A class of pi-heif's images that never reads EXIF and XMP: pi-heif 1.4.0 crashes on damaged entries.

    Nothing is lost: the container says how the photo is turned, and EXIF is not to be asked.
    """

    class PhotoOnly(image_class):
        def __init__(self, c_image: Any) -> None:
            super().__init__(_NoMetadata(c_image))

    return PhotoOnly


class _NoMetadata:
    """A picture of libheif without its metadata."""

    metadata: tuple[dict[str, Any], ...] = ()

    def __init__(self, c_image: Any) -> None:
        self._c_image = c_image

    def __getattr__(self, name: str) -> Any:
        return getattr(self._c_image, name)
