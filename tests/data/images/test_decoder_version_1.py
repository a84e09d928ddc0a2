"""Version 1 decodes as when its models were trained."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from phytoflow.data.images.decoder_version_1 import copied_bytes, decode_version_1


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[0, 65535], [257, 514]], np.uint16), [[0, 255], [1, 2]]),  # the upper 8 of 16 bits
        (np.array([[0, 200], [1, 2]], np.uint16), [[0, 200], [1, 2]]),  # no value beyond 8 bits
        (np.array([[0, 1], [0.5, np.nan]], np.float32), [[0, 255], [127, 0]]),  # shares of white
        (np.array([[0, 300], [255, 128]], np.float32), [[0, 1], [0, 0]]),
    ],
)
def test_deep_samples_are_scaled_by_the_largest_of_the_photo(
    values: np.ndarray, expected: list[list[int]]
) -> None:
    image, turned = decode_version_1(Image.fromarray(values))
    assert image.mode == "RGB" and not turned
    np.testing.assert_array_equal(np.asarray(image)[..., 0], expected)


def test_a_turned_photo_says_so() -> None:
    image = Image.new("RGB", (4, 2))
    image.getexif()[0x0112] = 6
    decoded, turned = decode_version_1(image)
    assert turned and decoded.size == (2, 4)


@pytest.mark.parametrize(("mode", "count"), [("RGB", 0), ("L", 0), ("RGBA", 8), ("I;16", 24), ("F", 24)])
def test_memory_for_copies_depends_on_the_mode(mode: str, count: int) -> None:
    assert copied_bytes(Image.new(mode, (1, 1))) == count
