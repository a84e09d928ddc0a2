"""EXIF orientation."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageOps

from phytoflow.data.images.orientation import SWAPS_SIDES, orientation_of, turn_upright


def stored(orientation: int, kind: str = "PNG") -> Image.Image:
    """A photo of 3 x 2 pixels whose file states an orientation, opened and loaded."""
    image, buffer = Image.fromarray(np.arange(18, dtype=np.uint8).reshape(2, 3, 3)), io.BytesIO()
    exif = image.getexif()
    exif[0x0112] = orientation
    image.save(buffer, kind, exif=exif)
    opened = Image.open(buffer)
    opened.load()
    return opened


@pytest.mark.parametrize("orientation", range(1, 9))
def test_each_orientation_is_turned_as_pillow_does(orientation: int) -> None:
    image = stored(orientation)
    assert orientation_of(image) == orientation
    upright = turn_upright(image, orientation)
    np.testing.assert_array_equal(np.asarray(upright), np.asarray(ImageOps.exif_transpose(image)))
    assert (upright.size == (2, 3)) == (orientation in SWAPS_SIDES)


@pytest.mark.parametrize("orientation", [0, 9])
def test_a_value_that_means_nothing_leaves_the_photo_as_it_is(orientation: int) -> None:
    image = stored(1)
    assert turn_upright(image, orientation) is image


def test_a_tiff_is_turned_by_pillow_itself() -> None:
    assert orientation_of(stored(6, "TIFF")) == 1
