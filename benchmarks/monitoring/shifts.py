"""What happens to photos in the field, applied at the size the network sees."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Pixels = NDArray[np.uint8]


def _blur(photo: Pixels) -> Pixels:
    return np.asarray(Image.fromarray(photo).filter(ImageFilter.GaussianBlur(2)))


def _zoom(photo: Pixels) -> Pixels:
    size, quarter = len(photo), len(photo) // 4
    middle = Image.fromarray(photo[quarter : size - quarter, quarter : size - quarter])
    return np.asarray(middle.resize((size, size), Image.Resampling.BICUBIC))


def _jpeg(photo: Pixels) -> Pixels:
    buffer = io.BytesIO()
    Image.fromarray(photo).save(buffer, "JPEG", quality=30)
    return np.asarray(Image.open(buffer))


def _darker(photo: Pixels) -> Pixels:
    return np.round(photo * 0.6).astype(np.uint8)


def _warm(photo: Pixels) -> Pixels:
    return np.clip(np.round(photo * np.array([1.12, 1, 0.88])), 0, 255).astype(np.uint8)


SHIFTS: dict[str, Callable[[Pixels], Pixels]] = {
    "clean": lambda photo: photo,
    "blur, sigma 2": _blur,
    "zoom 2x": _zoom,
    "JPEG, quality 30": _jpeg,
    "brightness 0.6": _darker,
    "warm colour cast": _warm,
}
