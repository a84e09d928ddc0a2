import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from phytoflow.data.sources.resolve import class_names, localise_source, source_version
from phytoflow.errors import DataError, StorageError
from tests.support.cutting_server import Behaviour, serve
from tests.support.object_store import object_store


def archive(**extra: bytes) -> bytes:
    buffer = BytesIO()
    with zipfile.ZipFile(buffer, "w") as file:
        for name, content in {"set/rust/1.jpg": b"one", "set/healthy/2.jpg": b"two", **extra}.items():
            file.writestr(name, content)
    return buffer.getvalue()


def test_an_archive_on_the_web_becomes_class_folders(tmp_path: Path) -> None:
    with serve(Behaviour(files={"/set.zip": archive()})) as server:
        folder = localise_source(f"{server.url}/set.zip", tmp_path / "work")
    assert (folder / "rust" / "1.jpg").read_bytes() == b"one"
    assert sorted(path.name for path in folder.iterdir()) == ["healthy", "rust"]


def test_the_version_of_an_archive_changes_with_it(tmp_path: Path) -> None:
    with serve(Behaviour(files={"/set.zip": archive()})) as server:
        url = f"{server.url}/set.zip"
        first = source_version(url)
        assert source_version(url) == first
        server.files["/set.zip"] = archive(more=b"three")
        assert source_version(url) != first


def test_an_address_without_archive_is_said(tmp_path: Path) -> None:
    with serve(Behaviour(files={"/page": b"<html>"})) as server:
        with pytest.raises(StorageError, match="404"):
            source_version(f"{server.url}/none.zip")
        with pytest.raises(DataError, match="neither"):
            localise_source(f"{server.url}/page", tmp_path / "work")
    assert not (tmp_path / "work" / "photos").exists()


@pytest.mark.parametrize("name", ["empty.zip", "empty.tar.gz"])
def test_an_archive_without_files_is_named(tmp_path: Path, name: str) -> None:
    buffer = BytesIO()
    if name.endswith("zip"):
        zipfile.ZipFile(buffer, "w").close()
    else:
        tarfile.open(fileobj=buffer, mode="w:gz").close()
    with (
        serve(Behaviour(files={f"/{name}": buffer.getvalue()})) as server,
        pytest.raises(DataError, match=f"{name} holds no files"),
    ):
        localise_source(f"{server.url}/{name}", tmp_path / "work")
    assert not (tmp_path / "work" / "photos").exists()


def test_google_cloud_storage_is_asked_at_its_own_endpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from phytoflow.storage.uri import read_bytes

    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "a.txt").write_text("here")
    with object_store(tmp_path, monkeypatch):
        import os

        monkeypatch.setenv("GS_ENDPOINT_URL", os.environ["AWS_ENDPOINT_URL"])
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        assert read_bytes("gs://bucket/a.txt") == b"here"


def test_a_local_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder of photos"):
        localise_source(str(tmp_path / "none"), tmp_path / "work")


def test_class_names_are_known_without_a_photo_being_read(tmp_path: Path) -> None:
    for name in ("b/1.jpg", "a/2.jpg", ".hidden/3.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert class_names(str(tmp_path)) == ["a", "b"]
    assert class_names("https://example.org/photos.zip") is None
    assert "rust" in (class_names("sample") or [])
    with pytest.raises(DataError):
        class_names(str(tmp_path / "none"))
