import io

import numpy as np
import pytest
from PIL import Image

from phytoflow.data.images.decode import decode
from phytoflow.data.images.depth import SampleDepth, measure_depth, usual_depth
from tests.support.photo_files import png_16, tiff_16
from tests.support.photo_folder import encoded, picture

PHOTO = np.asarray(picture(3, 80, 60)).copy()
PHOTO[0, 0] = 255
PHOTO[0, 1] = 0
GREY = np.asarray(Image.fromarray(PHOTO).convert("L"))


def scaled(pixels: np.ndarray, bits: int) -> np.ndarray:
    """8-bit samples as samples of more bits."""
    return np.round(pixels * ((2**bits - 1) / 255)).astype(np.uint16)


def worst(content: bytes, expected: np.ndarray, **options: int) -> int:
    """Largest difference from what the photo should look like."""
    pixels = np.asarray(decode(content, **options), np.int16)  # type: ignore[arg-type]
    expected = expected if expected.ndim == 3 else np.repeat(expected[..., None], 3, axis=2)
    return int(np.abs(pixels - expected).max())


def depth_of(content: bytes) -> SampleDepth:
    return measure_depth(Image.open(io.BytesIO(content)), content)


@pytest.mark.parametrize("bits", [10, 12, 14, 16])
@pytest.mark.parametrize("pixels", [GREY, PHOTO], ids=["grey", "colour"])
class TestTheFilesOwnDepth:
    """A file that states its depth is scaled by it; the upper byte of a 12-bit sample is at most 15."""

    def test_png_by_its_significant_bits(self, pixels: np.ndarray, bits: int) -> None:
        content = png_16(scaled(pixels, bits) // 2, significant_bits=bits)  # half as bright as it could be
        assert worst(content, pixels / 2) <= 2
        assert depth_of(content).bits(None) == bits

    @pytest.mark.parametrize("tag", ["t281", "t341"], ids=["MaxSampleValue", "SMaxSampleValue"])
    @pytest.mark.parametrize("order", ["<", ">"])
    @pytest.mark.parametrize("deflate", [False, True])
    def test_tiff_by_its_largest_sample(
        self, pixels: np.ndarray, bits: int, tag: str, order: str, deflate: bool
    ) -> None:
        channels = 1 if pixels.ndim == 2 else 3
        content = tiff_16(scaled(pixels, bits) // 2, order, deflate, **{tag: (2**bits - 1,) * channels})
        assert worst(content, pixels / 2) <= 2
        assert depth_of(content).used == usual_depth(scaled(pixels, bits).max() // 2)


def test_tiff_of_packed_12_bit_samples() -> None:
    even, odd = scaled(GREY, 12)[:, 0::2].astype(int), scaled(GREY, 12)[:, 1::2].astype(int)
    packed = np.stack([even >> 4, (even & 15) << 4 | odd >> 8, odd & 255], axis=-1).astype(np.uint8)
    body = packed.reshape(60, -1)
    content = tiff_16(body.view("<u2"), t256=80, t258=12, t279=body.nbytes)
    assert worst(content, GREY) <= 1


@pytest.mark.parametrize("make", [png_16, tiff_16], ids=["png", "tiff"])
@pytest.mark.parametrize("pixels", [GREY, PHOTO], ids=["grey", "colour"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
class TestNoStatedDepth:
    def test_the_photos_own_samples_decide(self, make: type, pixels: np.ndarray, bits: int) -> None:
        content = make(scaled(pixels, bits))
        assert worst(content, pixels) <= 1
        assert depth_of(content) == SampleDepth(bits, 0)

    def test_the_data_sets_depth_comes_first(self, make: type, pixels: np.ndarray, bits: int) -> None:
        dark = scaled(pixels, bits) // 8
        assert worst(make(dark), pixels / 8, sample_bits=bits) <= 2

    def test_samples_beyond_the_data_sets_depth_are_not_cut_off(
        self, make: type, pixels: np.ndarray, bits: int
    ) -> None:
        assert worst(make(scaled(pixels, bits)), pixels, sample_bits=8) <= 1


def test_a_wrong_statement_is_not_believed() -> None:
    content = png_16(scaled(GREY, 16), significant_bits=10)
    assert depth_of(content) == SampleDepth(16, 0)
    assert worst(content, GREY) <= 1


def test_transparent_parts_of_a_deep_photo_become_white() -> None:
    alpha = np.full((60, 80), 4095, np.uint16)
    alpha[:30] = 0
    samples = np.dstack([scaled(PHOTO, 12), alpha])
    pixels = np.asarray(decode(png_16(samples, significant_bits=12)), np.int16)
    assert (pixels[:30] == 255).all()
    assert np.abs(pixels[30:] - PHOTO[30:]).max() <= 1


def test_grey_with_alpha_is_read_by_its_upper_bytes() -> None:
    samples = np.dstack([scaled(GREY, 16), np.full((60, 80), 65535, np.uint16)])
    assert worst(png_16(samples), GREY) <= 1


def test_a_deep_tiff_whose_zero_is_white() -> None:
    assert worst(tiff_16(65535 - scaled(GREY, 16), t262=0), GREY) <= 1


@pytest.mark.parametrize("top", [1.0, 255.0, 4095.0, 65535.0])
def test_floats(top: float) -> None:
    values = (GREY / np.float32(255) * np.float32(top)).astype(np.float32)
    values[5, 5] = np.nan
    expected = GREY.copy()
    expected[5, 5] = 0
    content = encoded(Image.fromarray(values), "TIFF")
    assert worst(content, expected) <= 1
    assert depth_of(content).used == (0 if top == 1 else usual_depth(top)), "shares of white have no depth"


def test_a_tall_photo_is_converted_row_by_row_without_seams() -> None:
    ramp = np.tile(np.arange(4096, dtype=np.uint16)[:, None], (1, 20))
    assert worst(png_16(ramp), np.tile(np.round(np.arange(4096) / 4095 * 255)[:, None], (1, 20))) <= 1


def test_a_photo_of_eight_bits_has_no_depth_to_speak_of() -> None:
    assert depth_of(encoded(Image.fromarray(PHOTO), "PNG")) == SampleDepth(0, 0)


@pytest.mark.parametrize(
    ("value", "bits"),
    [(0, 8), (255, 8), (256, 10), (1023, 10), (3700, 12), (9000, 14), (65535, 16), (1e12, 32)],
)
def test_usual_depth(value: float, bits: int) -> None:
    assert usual_depth(value) == bits


def test_version_1_takes_samples_for_as_deep_as_their_file() -> None:
    dark = np.asarray(decode(png_16(scaled(GREY, 12), significant_bits=12), version=1))
    assert dark.max() <= 16
