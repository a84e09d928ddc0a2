import io
from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageCms

from phytoflow.data.images.icc import ADOBE_RGB, DISPLAY_P3, RgbSpace, write_profile
from tests.support.photo_files import PROPHOTO_RGB

SRGB = RgbSpace("sRGB", (0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
# Linear RGB to XYZ (D65; ProPhoto: D50) as the spaces' own specifications print them.
MATRICES = {
    "Display P3": [[0.48657, 0.26567, 0.19822], [0.22897, 0.69174, 0.07929], [0, 0.04511, 1.04394]],
    "Adobe RGB (1998)": [
        [0.57667, 0.18556, 0.18823],
        [0.29734, 0.62736, 0.07529],
        [0.02703, 0.07069, 0.99134],
    ],
    "ProPhoto RGB": [[0.79767, 0.13519, 0.03135], [0.28804, 0.71188, 0.00009], [0, 0, 0.82521]],
}
XYZ_TO_SRGB = [[3.24097, -1.53738, -0.49861], [-0.96924, 1.87597, 0.04156], [0.05563, -0.20398, 1.05697]]
D50_TO_D65 = [[0.95547, -0.02310, 0.06326], [-0.02833, 1.00994, 0.02100], [0.01230, -0.02051, 1.33037]]


def _linear_srgb(value: np.ndarray) -> np.ndarray:
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _encode_srgb(value: np.ndarray) -> np.ndarray:
    value = np.clip(value, 0, 1)
    return np.where(value <= 0.0031308, value * 12.92, 1.055 * value ** (1 / 2.4) - 0.055)


CURVES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "Display P3": _linear_srgb,
    "Adobe RGB (1998)": lambda value: value ** (563 / 256),
    "ProPhoto RGB": lambda value: value**1.8,
}


def _srgb_by_formula(space: str, rgb: np.ndarray) -> np.ndarray:
    xyz = CURVES[space](rgb / 255) @ np.array(MATRICES[space]).T
    xyz = xyz @ np.array(D50_TO_D65).T if space == "ProPhoto RGB" else xyz
    return _encode_srgb(xyz @ np.array(XYZ_TO_SRGB).T) * 255


def _profile(space: RgbSpace) -> ImageCms.ImageCmsProfile:
    return ImageCms.ImageCmsProfile(io.BytesIO(write_profile(space)))


@pytest.mark.parametrize("space", [DISPLAY_P3, ADOBE_RGB, PROPHOTO_RGB], ids=lambda space: space.name)
def test_colours_are_those_of_the_spaces_definition(space: RgbSpace) -> None:
    grid = np.stack(np.meshgrid(*[[60, 100, 140, 180]] * 3), axis=-1).reshape(1, -1, 3).astype(np.uint8)
    converted = ImageCms.profileToProfile(
        Image.fromarray(grid), _profile(space), ImageCms.createProfile("sRGB")
    )
    expected = _srgb_by_formula(space.name, grid.astype(float))
    inside = ((expected > 1) & (expected < 254)).all(axis=-1)
    assert inside.sum() > 10
    assert np.abs(np.asarray(converted, float) - expected)[inside].max() <= 1.5


def test_the_profile_says_what_it_is() -> None:
    profile = _profile(DISPLAY_P3)
    assert ImageCms.getProfileDescription(profile).strip() == "Display P3"
    assert profile.profile.xcolor_space == "RGB "
    assert profile.profile.device_class == "mntr"


def test_srgb_changes_nothing() -> None:
    grid = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, -1, 3)
    image = Image.fromarray(grid)
    converted = ImageCms.profileToProfile(image, _profile(SRGB), ImageCms.createProfile("sRGB"))
    assert np.abs(np.asarray(converted, int) - grid).max() <= 1
