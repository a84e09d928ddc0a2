"""Alpha channels and transparent colours."""

from __future__ import annotations

import pytest
from PIL import Image

from phytoflow.data.images.transparency import has_alpha, remove_alpha


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("RGBA", (200, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (200, 0, 0, 255), (200, 0, 0)),
        ("RGBA", (255, 0, 0, 51), (255, 204, 204)),  # a fifth of red on white
        ("LA", (10, 0), (255, 255, 255)),
        ("RGB", (1, 2, 3), (1, 2, 3)),
    ],
)
def test_what_is_transparent_becomes_white(
    mode: str, colour: tuple[int, ...], expected: tuple[int, ...]
) -> None:
    image = remove_alpha(Image.new(mode, (2, 2), colour))
    assert (image.mode, image.getpixel((1, 1))) == ("RGB", expected)


def test_a_transparent_colour_counts() -> None:
    image = Image.new("P", (2, 2), 3)
    image.putpalette([0] * 768)
    assert not has_alpha(image)
    image.info["transparency"] = 3
    assert has_alpha(image)
    assert remove_alpha(image).getpixel((0, 0)) == (255, 255, 255)


@pytest.mark.parametrize(
    ("mode", "kept"), [("L", "L"), ("CMYK", "CMYK"), ("LAB", "LAB"), ("1", "L"), ("P", "RGB"), ("HSV", "RGB")]
)
def test_a_mode_that_a_colour_profile_can_be_for_is_kept(mode: str, kept: str) -> None:
    assert remove_alpha(Image.new(mode, (2, 2))).mode == kept
