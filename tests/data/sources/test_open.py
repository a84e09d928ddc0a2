from pathlib import Path

import pytest

from phytoflow.data.sources.open import open_source
from tests.support.photo_folder import write
from tests.support.services.object_store import object_store


def test_a_folder_is_used_where_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photos").mkdir()
    with open_source("photos", tmp_path / "work", 0) as root:
        assert root == Path("photos")
    with open_source("photos", tmp_path / "work", 0, copy=False) as root:
        assert root == tmp_path / "photos"
    assert not (tmp_path / "work").exists()


def test_photos_in_a_store_are_copied_or_read_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "bucket" / "set" / "a" / "1.jpg", b"photo")
    with object_store(tmp_path, monkeypatch):
        with open_source("s3://bucket/set/", tmp_path / "work", 0) as root:
            assert (Path(root) / "a" / "1.jpg").read_bytes() == b"photo"
        with open_source("s3://bucket/set/", tmp_path / "work", 0, copy=False) as root:
            assert root == "s3://bucket/set"
    assert list((tmp_path / "work").iterdir()) == []
