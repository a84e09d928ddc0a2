import hashlib
from pathlib import Path

import imagehash
import pytest
from PIL import Image

from phytoflow.data.settings import DataSettings
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
