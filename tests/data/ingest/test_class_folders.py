from pathlib import Path

import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.ingest.class_folders import folder_photos, require_class_folders
from phytoflow.errors import DataError
from tests.support.photo_folder import encoded, make_folder, picture, write


def test_every_readable_photo_with_its_bytes_and_group(tmp_path: Path) -> None:
    make_folder(tmp_path, {"healthy": 2})
    again = write(tmp_path / "rust" / "1.jpg", encoded(picture(9), quality=90))
    write(tmp_path / "rust" / "2.jpg", encoded(picture(9), quality=60))
    write(tmp_path / "rust" / "bad.jpg", b"")
    write(tmp_path / "loose.jpg", encoded(picture(8)))
    photos = list(folder_photos(tmp_path))
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
    with pytest.raises(DataError, match=r"no usable photo|lie side by side"):
        folder_photos(tmp_path)


def test_the_parts_of_a_split_are_put_together(tmp_path: Path) -> None:
    """A public set such as PlantDoc comes as train and test; all of it is a test set here."""
    make_folder(tmp_path / "train", {"healthy": 2, "rust": 1})
    make_folder(tmp_path / "test", {"healthy": 1}, first_seed=50)
    assert [(photo.path, photo.label) for photo in folder_photos(tmp_path)] == [
        ("test/healthy/0.jpg", "healthy"),
        ("train/healthy/0.jpg", "healthy"),
        ("train/healthy/1.jpg", "healthy"),
        ("train/rust/0.jpg", "rust"),
    ]
    assert require_class_folders(tmp_path) == ["healthy", "rust"]
