import hashlib
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image

from phytoflow.data.ingest.scan import limits_of
from phytoflow.data.settings import DataSettings
from tests.support.photo_files import PROFILES, heic, png_16
from tests.support.photo_folder import encoded, make_folder, picture, scan_folder, write

SETTINGS = DataSettings(threads=2)


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_one_row_a_photo(tmp_path: Path, form: str) -> None:
    content = encoded(picture(1, 120, 90), form)
    write(tmp_path / "rust" / f"1.{form.lower()}", content)
    (row,) = scan_folder(tmp_path, SETTINGS).to_dict("records")
    assert row["path"] == f"rust/1.{form.lower()}"
    assert (row["label"], row["reason"], row["format"]) == ("rust", "", form)
    assert (row["width"], row["height"], row["bytes"]) == (120, 90, len(content))
    assert row["sha256"] == hashlib.sha256(content).hexdigest()
    assert len(row["thumbnail"]) == 16 * 16 * 3
    assert not row["misnamed"] and not row["animated"]
    expected = imagehash.phash(Image.open(tmp_path / row["path"]).convert("RGB"))
    assert imagehash.hex_to_hash(row["phash"]) - expected <= 2


def test_the_hash_of_a_large_jpeg_is_that_of_the_whole_picture(tmp_path: Path) -> None:
    """Large JPEGs are decoded reduced: it must not show."""
    image = picture(3, 3000, 2000)
    write(tmp_path / "a" / "1.jpg", encoded(image))
    row = scan_folder(tmp_path, SETTINGS).iloc[0]
    assert imagehash.hex_to_hash(row["phash"]) - imagehash.phash(image) <= 2
    assert (row["width"], row["height"]) == (3000, 2000)


def test_brightness_is_from_black_to_white(tmp_path: Path) -> None:
    for name, grey in (("black", 0), ("middle", 128), ("white", 255)):
        write(tmp_path / "a" / f"{name}.png", encoded(Image.new("RGB", (32, 32), (grey,) * 3), "PNG"))
    assert scan_folder(tmp_path, SETTINGS)["brightness"].to_list() == [0, pytest.approx(0.502, abs=1e-3), 1]


def test_rows_do_not_depend_on_threads(tmp_path: Path) -> None:
    make_folder(tmp_path, {"a": 25, "b": 25})
    one, four = (scan_folder(tmp_path, DataSettings(threads=threads)) for threads in (1, 4))
    assert one.equals(four)
    assert one["path"].is_monotonic_increasing


def test_limits_come_from_the_settings(tmp_path: Path) -> None:
    make_folder(tmp_path, {"a": 1})
    for limit, reason in (({"max_pixels": 3000}, "too_many_pixels"), ({"min_side": 50}, "too_small")):
        assert scan_folder(tmp_path, DataSettings(threads=1, **limit))["reason"].to_list() == [reason]
    (row,) = scan_folder(tmp_path, DataSettings(threads=1, max_bytes=100)).to_dict("records")
    assert (row["reason"], row["sha256"]) == ("too_many_bytes", "")


@pytest.mark.parametrize("form", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_width_and_height_are_those_of_the_upright_photo(tmp_path: Path, form: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    write(tmp_path / "a" / "1", encoded(picture(1, 120, 90), form, exif=exif))
    row = scan_folder(tmp_path, SETTINGS).iloc[0]
    assert (row["width"], row["height"]) == ((90, 120) if orientation > 4 else (120, 90))


def test_phones_photos_are_read(tmp_path: Path) -> None:
    write(tmp_path / "a" / "1.heic", heic(picture(1, 120, 90), orientation=6))
    write(tmp_path / "a" / "2.avif", encoded(picture(2, 120, 90), "AVIF"))
    table = scan_folder(tmp_path, SETTINGS)
    assert list(table["format"]) == ["HEIF", "AVIF"]
    assert list(table["width"]) == [90, 120]
    assert not table["misnamed"].any() and (table["reason"] == "").all()


def test_a_colour_profile_is_named(tmp_path: Path) -> None:
    photo = picture(1, 120, 90)
    write(tmp_path / "a" / "1.jpg", encoded(photo))
    write(tmp_path / "a" / "2.jpg", encoded(photo, icc_profile=PROFILES["Display P3"]))
    write(tmp_path / "a" / "3.jpg", encoded(photo, icc_profile=b"not a profile"))
    assert list(scan_folder(tmp_path, SETTINGS)["profile"]) == ["", "Display P3", "unreadable"]


def test_the_depth_of_samples_is_measured(tmp_path: Path) -> None:
    grey = np.asarray(picture(1, 120, 90).convert("L")).astype(np.uint16) * 16
    write(tmp_path / "a" / "1.png", encoded(picture(1), "PNG"))
    write(tmp_path / "a" / "2.png", png_16(grey))
    write(tmp_path / "a" / "3.png", png_16(grey, significant_bits=14))
    table = scan_folder(tmp_path, SETTINGS)
    assert list(zip(table["used_bits"], table["stated_bits"], strict=True)) == [(0, 0), (12, 0), (12, 14)]


def test_limits_are_named_by_their_settings() -> None:
    assert limits_of(SETTINGS).names == ("data.max_bytes", "data.max_pixels", "data.min_side")
