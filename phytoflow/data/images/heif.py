"""HEIC and AVIF: which decoders are installed, and how they are set up.

HEIC is decoded by pi-heif (libheif with libde265, no encoder), AVIF by Pillow's own plugin. libheif's
security limits stay on. Both turn the photo as its container says (the boxes ``irot`` and ``imir``); libheif
does it while it decodes and pi-heif then clears the orientation in EXIF, so that it is not applied again.
"""

from __future__ import annotations

from functools import cache

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
    except ImportError:
        return False
    # Thumbnails, depth maps and other auxiliary pictures are not used: they are not even listed.
    pi_heif.register_heif_opener(
        decode_threads=_THREADS, thumbnails=False, depth_images=False, aux_images=False
    )
    return True
