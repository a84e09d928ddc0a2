from pathlib import Path

from benchmarks.data.synthetic_photos import CLASSES, HEIGHT, WIDTH, make_photos
from tests.support.photo_folder import scan_folder


def test_photos_are_usable_and_differ(tmp_path: Path) -> None:
    make_photos(tmp_path, 30)
    table = scan_folder(tmp_path)
    assert len(table) == 30 and (table["reason"] == "").all()
    assert table["phash"].nunique() == 30 and table["label"].nunique() == CLASSES
    assert set(table["width"]) == {WIDTH} and set(table["height"]) == {HEIGHT}
