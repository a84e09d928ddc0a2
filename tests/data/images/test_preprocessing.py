from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from phytoflow.data.images.decode import DECODER_VERSION
from phytoflow.data.images.preprocessing import Preprocessing
from tests.support.photo_files import png_16


def test_normalise_follows_mean_and_std_and_puts_channels_first() -> None:
    spec = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 7, 3), dtype=np.uint8)
    expected = (pixels / 255 - np.array(spec.mean)) / np.array(spec.std)
    assert np.allclose(spec.normalise(pixels), expected.transpose(0, 3, 1, 2), atol=1e-5)
    assert spec.normalise(pixels[0]).shape == (3, 5, 7)
    assert spec.normalise(pixels).flags.c_contiguous and spec.normalise(pixels).dtype == np.float32


def test_the_crop_is_the_centre_at_the_right_scale(texture: np.ndarray) -> None:
    """Resizing the shorter side and cropping in one pass is what doing both in turn gives."""
    spec, image = Preprocessing(size=112, crop_fraction=0.8), Image.fromarray(texture)
    assert spec.resize_size == 140
    resized = spec.resize(image)
    assert min(resized.size) == 140
    left, top = (resized.width - 112) / 2, (resized.height - 112) / 2
    cropped = np.asarray(
        resized.crop((round(left), round(top), round(left) + 112, round(top) + 112)), np.int16
    )
    off_by_some = np.asarray(resized.crop((5, 5, 117, 117)), np.int16)
    assert np.abs(spec.pixels(image) - cropped).mean() < 8  # half a pixel's shift remains
    assert np.abs(spec.pixels(image) - off_by_some).mean() > 16


def test_small_photos_are_enlarged_only_at_the_last_step() -> None:
    image = Image.new("RGB", (60, 40))
    assert Preprocessing().resize(image).size == (60, 40)
    assert Preprocessing().pixels(image).shape == (224, 224, 3)


def test_call_is_decode_then_normalise(encode: Callable[..., bytes], texture: np.ndarray) -> None:
    spec, content = Preprocessing(), encode(texture, "JPEG")
    assert np.array_equal(spec(content), spec.normalise(spec.decode(content)))
    assert spec(content).shape == (3, 224, 224)


def test_old_documents_keep_the_decoder_and_the_version_they_were_made_with() -> None:
    old = Preprocessing.model_validate_json('{"size": 160}')
    assert (old.decoder, old.sample_bits) == (1, None)
    assert old.model_dump().keys() == {"size", "crop_fraction", "interpolation", "mean", "std"}
    assert "decoder" not in old.model_dump_json()


def test_new_ones_say_how_they_decode() -> None:
    spec = Preprocessing(size=160).decoding_as(Preprocessing(decoder=2, sample_bits=12))
    assert (spec.size, spec.decoder, spec.sample_bits) == (160, 2, 12)
    assert Preprocessing.model_validate_json(spec.model_dump_json()) == spec
    assert Preprocessing().with_current_decoder().decoder == DECODER_VERSION


def test_photos_are_opened_by_the_decoder_and_depth_of_the_spec() -> None:
    samples = np.full((40, 40), 400, np.uint16)
    brightness = {
        spec: int(np.asarray(spec.open(png_16(samples))).mean())
        for spec in (
            Preprocessing(),
            Preprocessing(decoder=2),
            Preprocessing(decoder=2, sample_bits=12),
        )
    }
    assert list(brightness.values()) == [1, round(400 / 1023 * 255), round(400 / 4095 * 255)]


def test_the_spec_survives_json_and_refuses_unknown_keys() -> None:
    spec = Preprocessing(size=160, interpolation="bilinear")
    assert Preprocessing.model_validate_json(spec.model_dump_json()) == spec
    with pytest.raises(ValueError, match="colour"):
        Preprocessing.model_validate({"colour": 1})
