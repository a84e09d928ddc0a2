import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from phytoflow.data.ingest.grouping.near_duplicates import near_duplicates
from phytoflow.data.settings import DataSettings
from tests.support.photo_folder import encoded, make_folder, picture, scan_folder, write

BITS = DataSettings().near_duplicate_max_distance
ORIGINAL = picture(5, 400, 300)


def recompressed() -> bytes:
    return encoded(ORIGINAL, quality=35)


def halved() -> bytes:
    return encoded(ORIGINAL.resize((200, 150)), "PNG")


def brightened() -> bytes:
    return encoded(ImageEnhance.Brightness(ORIGINAL).enhance(1.15))


def cropped() -> bytes:
    return encoded(ORIGINAL.crop((4, 3, 396, 297)))


def as_webp() -> bytes:
    return encoded(ORIGINAL, "WEBP", quality=60)


@pytest.mark.parametrize("change", [recompressed, halved, brightened, cropped, as_webp])
def test_a_changed_copy_is_found_among_others(tmp_path: Path, change: Callable[[], bytes]) -> None:
    make_folder(tmp_path, {"a": 30})
    write(tmp_path / "b" / "1.jpg", encoded(ORIGINAL))
    write(tmp_path / "b" / "2.jpg", change())
    table = scan_folder(tmp_path, DataSettings(threads=1))
    pairs = near_duplicates(table, BITS)
    assert [tuple(table["path"][list(pair)]) for pair in pairs] == [("b/1.jpg", "b/2.jpg")]


def test_same_shape_in_another_colour_is_another_thing(tmp_path: Path) -> None:
    """The hash sees grey only: it alone would take a green leaf and a red one for the same."""
    for name, colour in (("green", (40, 160, 40)), ("red", (210, 60, 60))):
        leaf = Image.new("RGB", (128, 128))
        leaf.paste(colour, (40, 20, 90, 110))
        write(tmp_path / "a" / f"{name}.png", encoded(leaf, "PNG"))
    table = scan_folder(tmp_path, DataSettings(threads=1))
    hashes = [int(text, 16) for text in table["phash"]]
    assert (hashes[0] ^ hashes[1]).bit_count() <= BITS
    assert len(near_duplicates(table, BITS)) == 0


def test_flat_pictures_are_the_same_only_in_one_colour(tmp_path: Path) -> None:
    for name, grey in (("one", 100), ("two", 101), ("far", 200)):
        content = io.BytesIO()
        Image.new("RGB", (64, 64), (grey, grey, grey)).save(content, "PNG")
        write(tmp_path / "a" / f"{name}.png", content.getvalue())
    table = scan_folder(tmp_path, DataSettings(threads=1))
    (pair,) = near_duplicates(table, BITS)
    assert set(table["path"][pair]) == {"a/one.png", "a/two.png"}


def test_chunks_lose_no_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_folder(tmp_path, {"a": 20})
    for number in range(20):
        write(tmp_path / "b" / f"{number}.png", encoded(picture(1000 + number), "PNG"))
    table = scan_folder(tmp_path, DataSettings(threads=1))
    whole = near_duplicates(table, BITS)
    monkeypatch.setattr("phytoflow.data.ingest.grouping.close_hashes._CHUNK", 7)
    assert np.array_equal(np.sort(near_duplicates(table, BITS), axis=0), np.sort(whole, axis=0))
    assert len(whole) == 20
