import os
from pathlib import Path

import pytest

from phytoflow.data.ingest.walk import class_folders, walk
from phytoflow.errors import DataError
from tests.support.photo_folder import write


def test_labels_are_first_level_folders_and_paths_are_sorted(tmp_path: Path) -> None:
    for path in ("rust/z.jpg", "rust/deep/er/a.jpg", "healthy/1.jpg", "loose.jpg"):
        write(tmp_path / path, b"")
    found = walk(tmp_path)
    assert [(entry.path, entry.label) for entry in found] == [
        ("healthy/1.jpg", "healthy"),
        ("loose.jpg", ""),
        ("rust/deep/er/a.jpg", "rust"),
        ("rust/z.jpg", "rust"),
    ]
    assert [bool(entry.reason) for entry in found] == [False, True, False, False]
    assert class_folders(tmp_path) == ["healthy", "rust"]


def test_linked_class_folders_are_followed_and_loops_are_not(tmp_path: Path) -> None:
    write(tmp_path / "elsewhere" / "1.jpg", b"")
    (tmp_path / "root").mkdir()
    (tmp_path / "root" / "rust").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "elsewhere" / "again").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "root" / "back").symlink_to(tmp_path / "root")
    reasons = {entry.path: entry.reason for entry in walk(tmp_path / "root")}
    assert reasons == {
        "back": "symbolic link loop",
        "rust/1.jpg": "",
        "rust/again": "symbolic link loop",
    }


def test_two_folders_that_link_to_each_other_end(tmp_path: Path) -> None:
    for one, other in (("a", "b"), ("b", "a")):
        write(tmp_path / one / "1.jpg", b"")
        (tmp_path / one / "link").symlink_to(tmp_path / other)
    paths = [entry.path for entry in walk(tmp_path)]
    assert paths == ["a/1.jpg", "a/link/1.jpg", "a/link/link", "b/1.jpg", "b/link/1.jpg", "b/link/link"]


@pytest.mark.parametrize("function", [walk, class_folders])
def test_no_such_folder(tmp_path: Path, function: object) -> None:
    with pytest.raises(DataError, match="does not exist"):
        function(tmp_path / "none")  # type: ignore[operator]


@pytest.mark.parametrize("function", [walk, class_folders])
def test_a_folder_out_of_reach_is_said(tmp_path: Path, function: object) -> None:
    photos = tmp_path / "locked" / "photos"
    photos.mkdir(parents=True)
    photos.parent.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:  # root reaches everything
        os.seteuid(65534)
    try:
        with pytest.raises(DataError, match="cannot be listed: Permission denied"):
            function(photos)  # type: ignore[operator]
    finally:
        if is_root:
            os.seteuid(0)
        photos.parent.chmod(0o755)
