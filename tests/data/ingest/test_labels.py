from pathlib import Path

import pytest

from phytoflow.data.ingest.labels import Labelled, read_labels
from phytoflow.data.ingest.walk import walk
from phytoflow.data.settings import DataSettings
from phytoflow.errors import DataError
from tests.support.photo_folder import write


def labelled(root: Path, **settings: object) -> dict[str, Labelled]:
    labels = read_labels(root, DataSettings(**settings))  # type: ignore[arg-type]
    assert labels.entries == len(list(walk(root)))
    return {found.path: labels.of(found) for found in walk(root)}


def test_labels_from_folders(tmp_path: Path) -> None:
    for path in ("rust/1.jpg", "healthy/2.jpg", "loose.jpg", "rust/.hidden"):
        write(tmp_path / path, b"")
    assert labelled(tmp_path) == {
        "healthy/2.jpg": ("healthy", "", ""),
        "loose.jpg": ("", "", "not in a class folder"),
        "rust/.hidden": ("rust", "", "hidden or system file"),
        "rust/1.jpg": ("rust", "", ""),
    }


def test_labels_and_parts_from_a_split(tmp_path: Path) -> None:
    for path in ("train/a/1.jpg", "train/b/1.jpg", "test/a/2.jpg", "test/b/2.jpg", "test/loose.jpg"):
        write(tmp_path / path, b"")
    found = labelled(tmp_path)
    assert found["train/b/1.jpg"] == ("b", "train", "")
    assert found["test/a/2.jpg"] == ("a", "test", "")
    assert found["test/loose.jpg"] == ("", "", "not in a class folder")


def test_a_file_without_part_among_parts_inside_of_classes_has_no_place(tmp_path: Path) -> None:
    for path in ("a/train/1.jpg", "a/test/2.jpg", "b/train/3.jpg", "b/test/4.jpg", "a/notes.txt"):
        write(tmp_path / path, b"")
    found = labelled(tmp_path)
    assert found["a/test/2.jpg"] == ("a", "test", "")
    assert found["a/notes.txt"] == ("", "", "not in a class folder")


def test_labels_from_a_csv_file_among_the_photos(tmp_path: Path) -> None:
    for path in ("1.jpg", "deep/2.jpg", "3.jpg", ".hidden/4.jpg"):
        write(tmp_path / path, b"")
    write(tmp_path / "labels.csv", b"path;label\n1.jpg;rust\ndeep/2.jpg;a/b\n")
    assert labelled(tmp_path, labels_csv="labels.csv") == {
        ".hidden": ("", "", "hidden or system file"),
        "1.jpg": ("rust", "", ""),
        "3.jpg": ("", "", "not in data.labels_csv"),
        "deep/2.jpg": ("a/b", "", ""),
        "labels.csv": ("", "", "not in data.labels_csv"),
    }
    assert read_labels(tmp_path, DataSettings(labels_csv="labels.csv")).classes == ["a/b", "rust"]


def test_similar_labels_in_a_csv_file_are_merged_on_request(tmp_path: Path) -> None:
    write(tmp_path / "1.jpg", b"")
    write(tmp_path / "2.jpg", b"")
    write(tmp_path / "labels.csv", b"path,label\n1.jpg,Rust\n2.jpg,rust\n")
    assert read_labels(tmp_path, DataSettings(labels_csv="labels.csv")).classes == ["Rust", "rust"]
    merged = read_labels(tmp_path, DataSettings(labels_csv="labels.csv", merge_similar_classes=True))
    assert merged.classes == ["Rust"]
    assert [finding.kind for finding in merged.findings] == ["merged classes"]


def test_folders_that_are_no_classes_are_refused_unless_they_are_not_judged(tmp_path: Path) -> None:
    for path in ("color/a/1.jpg", "color/b/1.jpg", "gray/a/1.jpg", "gray/b/1.jpg"):
        write(tmp_path / path, b"")
    with pytest.raises(DataError, match="variants or sites"):
        read_labels(tmp_path, DataSettings())
    assert read_labels(tmp_path, DataSettings(), judge=False).classes == ["color", "gray"]
