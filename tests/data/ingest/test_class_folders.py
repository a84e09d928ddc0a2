from pathlib import Path

import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.ingest.class_folders import folder_photos
from phytoflow.data.settings import DataSettings
from phytoflow.errors import DataError
from tests.support.photo_folder import encoded, make_folder, picture, write

SETTINGS = DataSettings(threads=1)


def test_every_readable_photo_with_its_bytes_and_group(tmp_path: Path) -> None:
    make_folder(tmp_path, {"healthy": 2})
    again = write(tmp_path / "rust" / "1.jpg", encoded(picture(9), quality=90))
    write(tmp_path / "rust" / "2.jpg", encoded(picture(9), quality=60))
    write(tmp_path / "rust" / "bad.jpg", b"")
    write(tmp_path / "loose.jpg", encoded(picture(8)))
    photos = list(folder_photos(tmp_path, SETTINGS))
    assert [(photo.path, photo.label, photo.group) for photo in photos] == [
        ("healthy/0.jpg", "healthy", "healthy/0.jpg"),
        ("healthy/1.jpg", "healthy", "healthy/1.jpg"),
        ("rust/1.jpg", "rust", "rust/1.jpg"),
        ("rust/2.jpg", "rust", "rust/1.jpg"),
    ]
    assert photos[2] == LabelledPhoto("rust/1.jpg", "rust", "rust/1.jpg", again.read_bytes())


def test_one_class_will_do(tmp_path: Path) -> None:
    assert len(list(folder_photos(make_folder(tmp_path, {"rust": 1})))) == 1


@pytest.mark.parametrize("path", ["loose.jpg", "rust/notes.txt"])
def test_a_folder_without_photos_is_refused_at_once(tmp_path: Path, path: str) -> None:
    write(tmp_path / path, encoded(picture(1)) if path.endswith("jpg") else b"words")
    with pytest.raises(DataError, match="no usable photo"):
        folder_photos(tmp_path, SETTINGS)
