import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from phytoflow.data.images.limits import Limits
from phytoflow.data.images.thumbnail import thumbnail
from phytoflow.errors import PhotoError


def _opened(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    assert image.format == "JPEG"
    return image


def test_it_keeps_proportions_and_shows_the_photo(encode: Callable[..., bytes], texture: np.ndarray) -> None:
    small = _opened(thumbnail(encode(texture), 120))
    assert small.size == (120, 90)
    expected = np.asarray(Image.fromarray(texture).resize((120, 90), Image.Resampling.BICUBIC), float)
    assert np.abs(np.asarray(small, float) - expected).mean() < 6


def test_a_turned_photo_is_upright(texture: np.ndarray) -> None:
    exif, buffer = Image.Exif(), io.BytesIO()
    exif[0x0112] = 6  # a quarter turn clockwise is needed
    Image.fromarray(texture).save(buffer, "JPEG", exif=exif)
    assert _opened(thumbnail(buffer.getvalue(), 120)).size == (90, 120)


def test_a_small_photo_is_not_enlarged(encode: Callable[..., bytes]) -> None:
    assert _opened(thumbnail(encode(np.zeros((20, 30, 3), np.uint8)), 120)).size == (30, 20)


def test_limits_hold(encode: Callable[..., bytes], texture: np.ndarray) -> None:
    with pytest.raises(PhotoError, match="pixels"):
        thumbnail(encode(texture), 120, Limits(max_pixels=1000))
