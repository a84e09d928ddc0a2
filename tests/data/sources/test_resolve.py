import os
import shutil
import tarfile
import zipfile
from io import BytesIO
from pathlib import Path

import pytest

from phytoflow.data.settings import DataSettings
from phytoflow.data.sources.resolve import class_names, data_version, localise_source, source_version
from phytoflow.errors import DataError, StorageError
from tests.support.photo_folder import write
from tests.support.services.cutting_server import Behaviour, serve
from tests.support.services.object_store import object_store


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


def test_a_local_folder_is_used_where_it_is(tmp_path: Path) -> None:
    assert localise_source(str(tmp_path), tmp_path / "work") == tmp_path
    assert localise_source(f"file://{tmp_path}", tmp_path / "work") == tmp_path
    assert not (tmp_path / "work").exists()


def test_class_names_are_known_without_a_photo_being_read(tmp_path: Path) -> None:
    for name in ("b/1.jpg", "a/2.jpg", ".hidden/3.jpg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    assert class_names(str(tmp_path)) == ["a", "b"]
    assert class_names("https://example.org/photos.zip") is None
    assert "rust" in (class_names("sample") or [])
    with pytest.raises(DataError):
        class_names(str(tmp_path / "none"))


def linked_photos(tmp_path: Path) -> Path:
    """Classes that are links to folders elsewhere, as on a machine with a disk for photos."""
    for label in ("a", "b"):
        write(tmp_path / "disk" / label / "1.jpg", b"one")
    (tmp_path / "photos").mkdir()
    for label in ("a", "b"):
        (tmp_path / "photos" / label).symlink_to(tmp_path / "disk" / label)
    return tmp_path / "photos"


def test_the_version_sees_photos_behind_links(tmp_path: Path) -> None:
    root = linked_photos(tmp_path)
    versions = [source_version(str(root))]
    write(tmp_path / "disk" / "a" / "2.jpg", b"two")
    versions.append(source_version(str(root)))
    write(tmp_path / "disk" / "a" / "2.jpg", b"another")
    versions.append(source_version(str(root)))
    (tmp_path / "disk" / "b" / "1.jpg").unlink()
    versions.append(source_version(str(root)))
    assert len(set(versions)) == 4


def test_the_version_sees_a_changed_and_an_exchanged_target_of_a_link(tmp_path: Path) -> None:
    one, two = write(tmp_path / "one.jpg", b"1"), write(tmp_path / "two.jpg", b"2")
    os.utime(two, ns=(0, one.stat().st_mtime_ns))
    (tmp_path / "photos" / "a").mkdir(parents=True)
    link = tmp_path / "photos" / "a" / "x.jpg"
    link.symlink_to(one)
    versions = [source_version(str(tmp_path / "photos"))]
    one.write_bytes(b"changed")
    versions.append(source_version(str(tmp_path / "photos")))
    one.write_bytes(b"1")
    os.utime(one, ns=(0, two.stat().st_mtime_ns))
    assert source_version(str(tmp_path / "photos")) == versions[0]
    link.unlink()
    link.symlink_to(two)
    versions.append(source_version(str(tmp_path / "photos")))
    assert len(set(versions)) == 3, "another file of the same size and time is another photo"


def test_the_version_is_of_what_is_used_and_of_nothing_else(tmp_path: Path) -> None:
    root = linked_photos(tmp_path)
    before = source_version(str(root))
    for path in (".DS_Store", "a/Thumbs.db", ".git/1"):
        write(root / path, b"")
    (root / "empty").mkdir()
    assert source_version(str(root)) == before
    (root / "a" / "gone.jpg").symlink_to("nowhere.jpg")
    assert source_version(str(root)) != before


def test_the_version_of_a_loop_ends(tmp_path: Path) -> None:
    root = linked_photos(tmp_path)
    (root / "a" / "up").symlink_to(root)
    assert source_version(str(root)) == source_version(str(root))


def test_a_copy_elsewhere_with_its_times_has_the_same_version(tmp_path: Path) -> None:
    write(tmp_path / "photos" / "a" / "1.jpg", b"one")
    shutil.copytree(tmp_path / "photos", tmp_path / "copy")
    assert source_version(str(tmp_path / "photos")) == source_version(str(tmp_path / "copy"))


def test_no_version_of_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no folder of photos"):
        source_version(str(tmp_path / "none"))


def test_the_version_changes_with_the_files_of_labels_and_groups(tmp_path: Path) -> None:
    photos = write(tmp_path / "photos" / "1.jpg", b"one").parent
    labels, groups = write(tmp_path / "labels.csv", b"path,label\n"), write(tmp_path / "groups.csv", b"")
    settings = DataSettings(labels_csv=str(labels), groups_csv=str(groups))
    versions = [data_version(str(photos), DataSettings()), data_version(str(photos), settings)]
    labels.write_bytes(b"path,label\n1.jpg,rust\n")
    versions.append(data_version(str(photos), settings))
    groups.write_bytes(b"path,group\n1.jpg,plant\n")
    versions.append(data_version(str(photos), settings))
    assert len(set(versions)) == 4
    assert versions[0] == source_version(str(photos))


def test_photos_with_labels_in_an_object_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "bucket" / "set" / "1.jpg", b"one")
    write(tmp_path / "bucket" / "set" / "labels.csv", b"path,label\n1.jpg,rust\n")
    settings = DataSettings(labels_csv="labels.csv")
    with object_store(tmp_path, monkeypatch):
        before = data_version("s3://bucket/set", settings)
        write(tmp_path / "bucket" / "set" / "labels.csv", b"path,label\n1.jpg,scab\n")
        assert data_version("s3://bucket/set", settings) != before


def test_class_names_of_an_object_store_follow_its_layout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for path in ("train/a/1.jpg", "train/b c/1.jpg", "test/a/2.jpg", "test/b c/2.jpg", ".git/x/1.jpg"):
        write(tmp_path / "bucket" / "set" / path, b"x")
    with object_store(tmp_path, monkeypatch):
        assert class_names("s3://bucket/set", DataSettings()) == ["a", "b c"]
        with pytest.raises(DataError, match="no class folders"):
            class_names("s3://bucket/set/train/a", DataSettings())


def test_class_names_of_photos_to_evaluate_on_are_not_judged(tmp_path: Path) -> None:
    for path in ("north/a/1.jpg", "north/b/1.jpg", "south/a/1.jpg", "south/b/1.jpg"):
        write(tmp_path / path, b"")
    assert class_names(str(tmp_path)) == ["north", "south"]
    with pytest.raises(DataError, match="variants or sites"):
        class_names(str(tmp_path), DataSettings())
    write(tmp_path / "labels.csv", b"path,label\nnorth/a/1.jpg,scab\n")
    assert class_names(str(tmp_path), DataSettings(labels_csv="labels.csv")) == ["scab"]
