from pathlib import Path

import pytest

from phytoflow.data.ingest.layout.layout import Layout, Place, read_layout
from phytoflow.data.ingest.walk import FoundFile, walk
from phytoflow.data.settings import DataSettings
from phytoflow.errors import DataError

SPLIT = "set/train/a/1.jpg set/train/b/1.jpg set/test/a/1.jpg set/test/b/x/1.jpg"


def layout(paths: str, judge: bool = True, **settings: object) -> Layout:
    entries = (FoundFile(path, Path(path)) for path in paths.split())
    return read_layout("photos", entries, DataSettings(**settings), judge)  # type: ignore[arg-type]


def place(read: Layout, path: str) -> Place:
    return read.place(tuple(path.split("/")))


def test_first_level_folders_are_classes() -> None:
    read = layout("rust/1.jpg healthy/x/2.jpg loose.jpg")
    assert (read.classes, read.parts, read.entries) == (["healthy", "rust"], set(), 3)
    assert place(read, "healthy/x/2.jpg") == ("healthy", "")
    assert place(read, "loose.jpg") == ("", "")
    assert place(read, "rust") == ("rust", ""), "a class folder that cannot be read"


def test_a_split_gives_each_photo_its_part() -> None:
    read = layout(SPLIT)
    assert (read.classes, read.parts) == (["a", "b"], {"train", "test"})
    assert place(read, "set/test/b/x/1.jpg") == ("b", "test")
    assert place(read, "set/train/a/1.jpg") == ("a", "train")
    for loose in ("set/readme.jpg", "set/train/1.jpg", "1.jpg"):
        assert place(read, loose) == ("", "")


def test_an_ignored_split_pools_the_photos() -> None:
    read = layout(SPLIT + " set/test/c/1.jpg", predefined_split="ignore")
    assert (read.classes, read.parts) == (["a", "b", "c"], set())
    assert place(read, "set/test/b/x/1.jpg") == ("b", "")


def test_parts_inside_of_the_classes() -> None:
    read = layout("a/train/1.jpg a/valid/2.jpg b/train/3.jpg b/valid/4.jpg")
    assert (read.classes, read.parts) == (["a", "b"], {"train", "validation"})
    assert place(read, "a/valid/2.jpg") == ("a", "validation")


def test_the_layout_is_not_checked_if_the_folders_are_said_to_be_the_classes() -> None:
    assert layout("train/a/1.jpg test/a/1.jpg", check_layout=False).classes == ["test", "train"]
    assert layout("color/1.jpg grayscale/1.jpg", check_layout=False).classes == ["color", "grayscale"]


def test_a_layout_that_is_not_judged_still_finds_the_classes_below_a_split() -> None:
    assert layout("train/a/1.jpg test/1.jpg", judge=False, predefined_split="ignore").classes == ["a"]


def test_similar_names_are_merged_on_request_across_parts() -> None:
    paths = "train/Rust/1.jpg train/b/1.jpg test/rust/1.jpg test/b/1.jpg"
    read = layout(paths, merge_similar_classes=True)
    assert read.classes == ["Rust", "b"]
    assert place(read, "test/rust/1.jpg") == ("Rust", "test")
    assert [finding.kind for finding in read.findings] == ["merged classes"]


def test_empty_class_folders_are_classes_too(tmp_path: Path) -> None:
    (tmp_path / "rust").mkdir()
    assert read_layout("photos", walk(tmp_path), DataSettings()).classes == ["rust"]


def test_no_folders_at_all() -> None:
    with pytest.raises(DataError, match="the 2 photos in photos lie side by side") as refusal:
        layout("1.jpg 2.jpg")
    assert "data.labels_csv" in refusal.value.remedy
    with pytest.raises(DataError, match="there are no class folders in photos"):
        layout("readme.txt")
