from pathlib import Path

from phytoflow.data.ingest.layout.folder_tree import read_tree
from phytoflow.data.ingest.walk import walk
from tests.support.photo_folder import write


def test_photos_are_counted_in_each_folder_and_below(tmp_path: Path) -> None:
    for path in (
        "a/1.jpg",
        "a/x/2.PNG",
        "a/x/no_suffix",
        "a/notes.txt",
        "b/README.md",
        ".git/3.jpg",
        "4.jpg",
    ):
        write(tmp_path / path, b"")
    write(tmp_path / ".git" / "3.jpg", b"")
    write(tmp_path / "4.jpg", b"")
    (tmp_path / "empty").mkdir()
    root, entries = read_tree(walk(tmp_path))
    assert entries == 8
    assert (root.photos, root.below) == (1, 4)
    assert set(root.folders) == {"a", "b", "empty"} and set(root.filled) == {"a"}
    assert (root.folders["a"].photos, root.folders["a"].below) == (1, 3)
    assert root.at(("a", "x")).photos == 2
    assert [path for path, _ in root.descendants()] == [(), ("a",), ("a", "x"), ("b",), ("empty",)]


def test_flat_puts_the_photos_of_sub_folders_into_their_class(tmp_path: Path) -> None:
    write(tmp_path / "a" / "train" / "1.jpg", b"")
    root, _ = read_tree(walk(tmp_path))
    flat = root.flat()
    assert (flat.folders["a"].photos, flat.folders["a"].folders) == (1, {})


def test_a_deeply_nested_folder_is_no_recursion(tmp_path: Path) -> None:
    path = "/".join(["d"] * 900) + "/1.jpg"
    write(tmp_path / path, b"")
    root, _ = read_tree(walk(tmp_path))
    assert len(list(root.descendants())) == 901
