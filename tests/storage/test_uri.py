from pathlib import Path

import pytest

from phytoflow.errors import StorageError
from phytoflow.storage.uri import (
    exists,
    fetch_folder,
    is_local,
    join,
    local_path,
    put_bytes,
    put_file,
    put_folder,
    read_bytes,
    remove_file,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "from"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.bin").write_bytes(b"\x00\x01")
    (folder / "sub" / "b ü.txt").write_text("b")
    return folder


def test_local_uris() -> None:
    assert is_local("a/b") and is_local("file:///a") and not is_local("s3://a/b")
    assert local_path("file:///a%20b/c") == Path("/a b/c")
    assert not is_local("gs://a/b") and not is_local("https://host/x.zip")
    assert join("s3://bucket/prefix/", "x", "y") == "s3://bucket/prefix/x/y"


@pytest.mark.parametrize(
    "name", ["photos: 2024", "a:b/c", "50%25", "what?", "run #1", "my%20run", "C:\\photos"]
)
def test_names_that_look_like_addresses_are_names(name: str, tmp_path: Path) -> None:
    assert is_local(name) and local_path(name) == Path(name)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    put_file(_file(tmp_path), tmp_path / name)
    assert read_bytes(str(tmp_path / name)) == b"content"


def _file(tmp_path: Path) -> Path:
    (tmp_path / "file").write_bytes(b"content")
    return tmp_path / "file"


def test_a_local_folder_is_used_where_it_is_and_copied_whole(folder: Path, tmp_path: Path) -> None:
    assert fetch_folder(folder, tmp_path / "to") == folder
    put_folder(folder, tmp_path / "copy")
    assert (tmp_path / "copy" / "sub" / "b ü.txt").read_text() == "b"
    put_file(folder / "a.bin", f"file://{tmp_path}/c.bin")
    assert read_bytes(tmp_path / "c.bin") == b"\x00\x01"
    assert exists(tmp_path / "c.bin") and not exists(tmp_path / "none")
    put_bytes(b"new", tmp_path / "new folder" / "c.bin")
    assert read_bytes(tmp_path / "new folder" / "c.bin") == b"new"
    remove_file(tmp_path / "c.bin")
    remove_file(tmp_path / "c.bin")
    assert not exists(tmp_path / "c.bin")


@pytest.mark.parametrize("uri", ["/no/such/folder", "ftp://host/x"])
def test_what_is_not_there_or_unknown_is_said(uri: str, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=uri.split(":")[0]):
        fetch_folder(uri, tmp_path)


def test_an_unreachable_store_is_said_quickly(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "who")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "never shown")
    with pytest.raises(StorageError, match="AWS_ENDPOINT_URL") as refusal:
        fetch_folder("s3://bucket/prefix", tmp_path / "to")
    assert "never shown" not in str(refusal.value)
    assert not (tmp_path / "to").exists()
