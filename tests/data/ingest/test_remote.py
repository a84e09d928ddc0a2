from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.data.ingest.remote import RemoteFile, list_photos, reading_threads, walk_remote
from phytoflow.data.ingest.walk import FoundFile
from phytoflow.errors import StorageError
from tests.support.photo_folder import write
from tests.support.services.object_store import object_store

NAMES = ["b/1.jpg", "a/2 #1.jpg", "a/deep/3.jpg", "a-b/4.jpg", "notes.txt", "x\\x41/5.jpg"]
HIDDEN = [".git/a", ".git/b/c", "a/.cache/1", "a/.cache/2", "a/Thumbs.db", "b/__MACOSX/._1.jpg"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """What lies in ``s3://bucket/set``."""
    for name in NAMES + HIDDEN:
        write(tmp_path / "bucket" / "set" / name, name.encode())
    with object_store(tmp_path, monkeypatch):
        yield tmp_path / "bucket" / "set"


def facts(entry: FoundFile) -> tuple[str, str, int, tuple[str, ...]]:
    return entry.path, entry.skipped, entry.files, entry.parts


def test_the_entries_are_those_of_a_walk_through_a_copy(folder: Path) -> None:
    remote, local = (
        {facts(entry) for entry in list_photos(root)} for root in ("s3://bucket/set", str(folder))
    )
    assert remote == local and len(remote) == len(NAMES) + 4


def test_each_is_read_where_it_lies(folder: Path) -> None:
    read = {entry.file.as_posix(): entry for entry in walk_remote("s3://bucket/set") if not entry.skipped}
    assert sorted(read) == sorted(NAMES)
    for name, entry in read.items():
        assert isinstance(entry, RemoteFile) and entry.location == f"s3://bucket/set/{name}"
        assert entry.read() == name.encode() and entry.size() == len(name.encode())


def test_an_object_that_vanished_is_an_error_of_the_store(folder: Path) -> None:
    entry = next(entry for entry in walk_remote("s3://bucket/set") if entry.path == "b/1.jpg")
    (folder / "b" / "1.jpg").unlink()
    with pytest.raises(StorageError, match=r"b/1\.jpg"):
        entry.read()


def test_photos_of_a_store_are_read_by_more_threads_unless_a_number_is_given() -> None:
    assert reading_threads(0, "/photos") == 0 and reading_threads(0, "s3://bucket/set") == 16
    assert reading_threads(3, "/photos") == reading_threads(3, "s3://bucket/set") == 3
