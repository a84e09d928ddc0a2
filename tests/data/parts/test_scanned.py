import hashlib
from pathlib import Path

import pytest

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.parts.scan import scan_part
from phytoflow.data.parts.scanned import Scanned, scan_version
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.errors import StorageError
from tests.support.photo_folder import encoded, make_folder, picture, write
from tests.support.services.object_store import object_store

SMALL = Preprocessing(size=28)
SETTINGS = DataSettings(threads=2, shard_bytes=20_000)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = make_folder(tmp_path / "bucket" / "photos", {"rust": 20, "healthy": 25})
    write(root / "rust" / "copy.jpg", (root / "rust" / "0.jpg").read_bytes())
    write(root / "rust" / "near.png", encoded(picture(1003), "PNG"))
    write(root / "healthy" / "bad.jpg", b"")
    return root


def digests(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in folder.iterdir()}


def prepared(source: str, output: Path, parts: int = 1, scanned: Scanned | None = None) -> dict[str, str]:
    prepare(source, SETTINGS.model_copy(update={"parts": parts}), SMALL, 3, output, scanned)
    return digests(output)


def test_one_part_or_sixteen_give_the_same_bytes(root: Path, tmp_path: Path) -> None:
    whole = prepared(str(root), tmp_path / "one")
    assert "train-000001.tar" in whole  # several shards
    for parts in (4, 16):
        assert prepared(str(root), tmp_path / f"of-{parts}", parts) == whole
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"bucket", "one", "of-4", "of-16"}


def test_parts_that_were_scanned_elsewhere_give_the_same_bytes(root: Path, tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.parquet" for number in range(3)]
    for number, file in enumerate(files):
        scan_part(root, SETTINGS, number, 3, "v", file)
    assert prepared(str(root), tmp_path / "parts", scanned=Scanned(files)) == prepared(
        str(root), tmp_path / "whole"
    )


def test_photos_of_a_store_give_the_bytes_of_a_folder(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with object_store(tmp_path, monkeypatch):
        copied = prepared("s3://bucket/photos", tmp_path / "copied")
        assert prepared("s3://bucket/photos", tmp_path / "read", 4) == copied
    assert copied == prepared(str(root), tmp_path / "local")


def test_after_an_interruption_finished_parts_are_used(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unfinished = Scanned(folder=tmp_path / "unfinished")
    with monkeypatch.context() as patched:
        patched.setattr("phytoflow.data.prepare.write_photos", interrupt)
        with pytest.raises(StorageError, match="full"):
            prepared(str(root), tmp_path / "out", 3, unfinished)
    assert len(list((tmp_path / "unfinished").iterdir())) == 3
    with monkeypatch.context() as patched:
        patched.setattr("phytoflow.data.parts.scan.read_table", interrupt)
        again = prepared(str(root), tmp_path / "out", 3, unfinished)
    assert not (tmp_path / "unfinished").exists()
    assert again == prepared(str(root), tmp_path / "whole")


def test_what_does_not_change_the_rows_does_not_change_the_version() -> None:
    version = scan_version("photos", SETTINGS)
    for same in ({"parts": 9}, {"threads": 1}):
        assert scan_version("photos", SETTINGS.model_copy(update=same)) == version
    assert scan_version("photos", SETTINGS.model_copy(update={"max_bytes": 5})) != version
    assert scan_version("others", SETTINGS) != version


def interrupt(*_: object) -> None:
    raise StorageError("the disk is full", remedy="free some space")
