import io
from pathlib import Path

import numpy as np
from PIL import Image

from phytoflow.data.images.decode import decode
from phytoflow.data.images.limits import Limits
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.photo_writer import shrink_photo
from tests.support.photo_files import PROFILES
from tests.support.photo_folder import encoded, picture

SMALL = Preprocessing(size=28)  # shorter side 32


def test_resizing() -> None:
    """Only what shrinks is written again, upright and close to the original."""
    small, large = encoded(picture(1, 30, 40)), picture(2, 300, 200)
    assert shrink_photo(small, SMALL, Limits()) == small
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = decode(shrink_photo(encoded(large, exif=exif), SMALL, Limits()), Limits())
    assert turned.size == (32, 48)
    once = np.asarray(decode(shrink_photo(encoded(large, "PNG"), SMALL, Limits()), Limits()), float)
    assert np.abs(once - np.asarray(SMALL.resize(large), float)).mean() < 3


def test_training_photos_in_another_colour_space_are_stored_in_srgb(tmp_path: Path) -> None:
    current = SMALL.with_current_decoder()
    content = encoded(picture(1, 200, 150), "PNG", icc_profile=PROFILES["Display P3"])
    smaller = shrink_photo(content, current, Limits())
    assert "icc_profile" not in Image.open(io.BytesIO(smaller)).info
    whole, stored = (np.asarray(current.decode(file), float) for file in (content, smaller))
    assert np.abs(whole - stored).mean() < 3
