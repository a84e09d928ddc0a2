"""Bounds the memory that decoding takes in one process, however many threads decode."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

from PIL import Image, JpegImagePlugin

from phytoflow.data.images.limits import BYTES_PER_PIXEL, MAX_PIXELS

# Bytes of memory a pixel while a photo of 8 bits a sample is decoded, as `python -m benchmarks.decoding
# memory` measures them: Pillow's 4, and what the decoder keeps meanwhile.
_DECODER_BYTES: Final = {"TIFF": 7.2, "HEIF": 7.1, "AVIF": 9.5, "WEBP": 16.6}
_PIXEL_BYTES: Final = 4.0  # of Pillow's RGB, and all that JPEG, PNG and BMP take
_DEEP_FORMATS: Final = ("PNG", "TIFF")
_DEEP_BYTES: Final = 4.0  # more for 16 bits a sample in colour: two passes, see depth.py
_COEFFICIENT_BYTES: Final = 2  # libjpeg keeps all coefficients of a progressive JPEG, each as a short
# Photos that take less are decoded at once: taking part in the budget would cost more than it saves.
_SMALL: Final = 8 * 2**20
_NOTHING: Final = nullcontext()


def bytes_per_pixel(image: Image.Image) -> float:
    """Memory that decoding takes for each pixel of the whole photo; ``image`` is opened, not decoded."""
    needed = _DECODER_BYTES.get(image.format or "", _PIXEL_BYTES)
    if isinstance(image, JpegImagePlugin.JpegImageFile) and "progressive" in image.info:
        return max(needed, _coefficients_per_pixel(image) * _COEFFICIENT_BYTES)
    return needed + (_DEEP_BYTES if is_deep_color(image) else 0)


def decoding_bytes(image: Image.Image, whole: tuple[int, int]) -> int:
    """Memory that decoding takes, bytes.

    Args:
        image: Opened, and set to the size that it is decoded at.
        whole: Its width and height before.
    """
    pixels = image.width * image.height
    if isinstance(image, JpegImagePlugin.JpegImageFile):
        kept = _coefficients_per_pixel(image) * _COEFFICIENT_BYTES if "progressive" in image.info else 0
        return int(whole[0] * whole[1] * kept + pixels * _PIXEL_BYTES)
    return int(pixels * bytes_per_pixel(image))


def is_deep_color(image: Image.Image) -> bool:
    """Whether the file has 16 bits a sample in several channels, of which Pillow reads the upper eight."""
    # The format is asked first: most photos are JPEGs, and decoding a small one takes 0.2 ms in all.
    return image.format in _DEEP_FORMATS and image.mode in ("RGB", "RGBA") and ";16" in raw_mode(image)


def raw_mode(image: Image.Image) -> str:
    """How samples are laid out in the file, by Pillow's name; empty where the plugin does not say."""
    arguments = image.tile[0].args if getattr(image, "tile", None) else ()  # type: ignore[attr-defined]
    return str(arguments if isinstance(arguments, str) else next(iter(arguments or ()), ""))


def _coefficients_per_pixel(image: JpegImagePlugin.JpegImageFile) -> float:
    """Samples a pixel that are stored: 3 without chroma subsampling, 1.5 with the usual one."""
    factors = [(h, v) for _, h, v, _ in image.layer]
    most = max(h for h, _ in factors) * max(v for _, v in factors)
    return sum(h * v for h, v in factors) / most


class MemoryBudget:
    """Lets threads decode at the same time only as much as fits into a number of bytes.

    Requests are served in the order in which they come, so that a large photo is not overtaken for ever. One
    that needs more than the whole budget gets all of it, and is decoded alone.
    """

    def __init__(self, total: int) -> None:
        self._total = total
        self._reset()

    @property
    def free(self) -> int:
        """Bytes that no photo has reserved."""
        return self._free

    def reserve(self, size: int) -> AbstractContextManager[None]:
        """Waits until ``size`` bytes are free and takes them for the block."""
        return _NOTHING if size < _SMALL else self._hold(size)

    @contextmanager
    def _hold(self, size: int) -> Iterator[None]:
        size = min(size, self._total)
        with self._turn, self._room:
            self._room.wait_for(lambda: self._free >= size)
            self._free -= size
        try:
            yield
        finally:
            with self._room:
                self._free += size
                self._room.notify_all()

    def _reset(self) -> None:
        """Starts anew: a forked process has none of the threads that held something."""
        self._free = self._total
        self._turn, self._room = threading.Lock(), threading.Condition()


# As much as the largest photo within the default limits takes.
DECODING: Final = MemoryBudget(MAX_PIXELS * BYTES_PER_PIXEL)
os.register_at_fork(after_in_child=DECODING._reset)
