"""Which files of a folder are classified, against what training reads of the same folder."""

import os
from pathlib import Path

import pytest

from phytoflow.cli.photos.inputs import describe_skipped, list_files
from phytoflow.errors import DataError
from tests.support.bad_files import JPEG, PNG


def names(paths: list[Path], skipped: bool) -> list[str]:
    return [file.path for file in list_files(paths) if bool(file.skipped) == skipped]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as it comes from a camera and a Mac."""
    root = tmp_path / "m"
    for name in ("a.JPG", "b.jfif", "c.jpe", "sub/d.png", "sub/no-suffix", "cut.jpg"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(PNG if name.endswith("png") else JPEG)
    (root / "cut.jpg").write_bytes(b"no image at all")
    (root / "__MACOSX").mkdir()
    for name in ("._a.JPG", "__MACOSX/._b.jfif", "notes.txt", "Thumbs.db", "predictions.csv"):
        (root / name).write_bytes(b"\0\5\26\7text")
    (root / "gone.jpg").symlink_to(root / "nowhere.jpg")
    return root


def test_what_training_reads_is_read(folder: Path) -> None:
    read = {"a.JPG", "b.jfif", "c.jpe", "cut.jpg", "sub/d.png", "sub/no-suffix"}
    assert names([folder], skipped=False) == sorted(f"{folder}/{name}" for name in read)


def test_what_is_skipped_is_listed_by_reason(folder: Path) -> None:
    lines = describe_skipped(file for file in list_files([folder]) if file.skipped)
    assert lines == [
        f"skipped 1 file, broken link: {folder}/gone.jpg",
        f"skipped 3 files, hidden or system file: {folder}/._a.JPG, {folder}/Thumbs.db, {folder}/__MACOSX",
        f"skipped 2 files, not a photo: {folder}/notes.txt, {folder}/predictions.csv",
    ]


def test_every_file_is_counted_once(folder: Path) -> None:
    entries = sum(len(files) for _, _, files in os.walk(folder))
    assert sum(file.count for file in list_files([folder])) == entries


def test_a_file_given_by_name_is_always_read(folder: Path) -> None:
    given = [folder / "notes.txt", folder / "._a.JPG", folder / "missing.jpg"]
    assert names(given, skipped=False) == [str(path) for path in given]


def test_long_lists_are_shortened(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.txt").write_text("x")
    (line,) = describe_skipped(list_files([tmp_path]))
    assert line == f"skipped 5 files, not a photo: {', '.join(f'{tmp_path}/{n}.txt' for n in range(3))}, ..."


def test_names_that_are_no_text_are_printable(tmp_path: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/b\xffd.jpg"
    Path(os.fsdecode(raw)).write_bytes(JPEG)
    (found,) = list_files([tmp_path])
    assert found.path == rf"{tmp_path}/b\xffd.jpg" and found.file.read_bytes() == JPEG
    (given,) = list_files([Path(os.fsdecode(raw))])
    assert given.path == found.path


def test_a_folder_that_cannot_be_listed_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: object = None) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.raises(DataError, match="Permission denied"):
        list(list_files([tmp_path]))
