"""Disk full, read-only output, an output that is a file: in words, with nothing that looks whole."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.sources.download import download
from phytoflow.data.sources.resolve import localise_source
from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from phytoflow.errors import StorageError
from tests.support.disks import make_read_only, small_disk
from tests.support.photo_folder import encoded, make_folder, picture, write
from tests.support.services.cutting_server import Behaviour, serve
from tests.support.services.object_store import object_store

SETTINGS = DataSettings(threads=1)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 1) as folder:
        yield folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Forty photos, 4 MB."""
    for number in range(40):
        write(
            tmp_path / "photos" / "ab"[number % 2] / f"{number}.png",
            encoded(picture(number, 300, 220), "PNG"),
        )
    return tmp_path / "photos"


def run_prepare(photos: Path | str, output: Path) -> StorageError:
    with pytest.raises(StorageError) as refusal:
        prepare(str(photos), SETTINGS, Preprocessing(size=224), 0, output)
    assert refusal.value.exit_code == 5 and refusal.value.remedy
    return refusal.value


def test_a_disk_that_fills_up_while_photos_are_prepared(photos: Path, disk: Path) -> None:
    error = run_prepare(photos, disk / "dataset")
    assert f"no space left to write {disk}/dataset" in error.message
    assert f"free some space on {disk}" in error.remedy
    assert list(disk.iterdir()) == [], "nothing half-written is left, and the space is free again"


def test_a_disk_that_is_full_already(photos: Path, disk: Path) -> None:
    (disk / "ballast").write_bytes(bytes(2**20 - 4096))
    run_prepare(photos, disk / "dataset")
    assert [path.name for path in disk.iterdir()] == ["ballast"]


def test_the_former_data_set_stays_whole(photos: Path, tmp_path: Path, disk: Path) -> None:
    few = make_folder(tmp_path / "few", {"a": 4, "b": 4})
    prepare(str(few), SETTINGS, Preprocessing(size=32), 0, disk / "dataset")
    before = {path.name: path.read_bytes() for path in (disk / "dataset").iterdir()}
    run_prepare(photos, disk / "dataset")
    assert {path.name: path.read_bytes() for path in (disk / "dataset").iterdir()} == before


def test_a_read_only_output(photos: Path, disk: Path) -> None:
    make_read_only(disk)
    assert "Read-only file system" in run_prepare(photos, disk / "new" / "dataset").message


def test_an_output_that_is_a_file(photos: Path, tmp_path: Path) -> None:
    write(tmp_path / "dataset", b"mine")
    assert "dataset is a file" in run_prepare(photos, tmp_path / "dataset").message
    assert "dataset is no folder" in run_prepare(photos, tmp_path / "dataset" / "inner").message
    assert (tmp_path / "dataset").read_bytes() == b"mine"


def test_no_room_for_photos_from_an_object_store(
    photos: Path, tmp_path: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos.rename(tmp_path / "bucket")
    with object_store(tmp_path, monkeypatch):
        error = run_prepare("s3://bucket/", disk / "dataset")
    assert "no space left to write" in error.message
    assert list(disk.iterdir()) == []


def test_no_place_for_photos_that_are_to_be_brought(
    photos: Path, tmp_path: Path, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_read_only(disk)
    photos.rename(tmp_path / "bucket")
    with object_store(tmp_path, monkeypatch):
        assert "Read-only" in run_prepare("s3://bucket/", disk / "dataset").message


def test_a_download_that_fills_the_disk_is_continued_later(disk: Path) -> None:
    content = bytes(range(256)) * 8000  # 2 MB
    with (
        serve(Behaviour(files={"/set.zip": content})) as server,
        pytest.raises(StorageError, match=r"no space left to write .*set\.zip") as refusal,
    ):
        download(f"{server.url}/set.zip", disk / "set.zip", max_bytes=2**30)
    assert "the same command again" in refusal.value.remedy
    assert not (disk / "set.zip").exists()


def test_an_archive_that_unpacks_to_more_than_there_is_room_for(disk: Path) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("set/a/1.jpg", bytes(2 * 2**20))
    with (
        serve(Behaviour(files={"/set.zip": buffer.getvalue()})) as server,
        pytest.raises(StorageError, match="no space left to write"),
    ):
        localise_source(f"{server.url}/set.zip", disk / "work")
    assert not (disk / "work" / "photos").exists()


def test_no_room_for_drawn_leaves(disk: Path) -> None:
    with pytest.raises(StorageError, match="no space left to write"):
        make_synthetic_dataset(disk / "sample", photos_per_class=60)
    assert list(disk.iterdir()) == []
