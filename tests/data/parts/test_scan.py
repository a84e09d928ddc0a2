from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from phytoflow.data.ingest.labels import read_labels
from phytoflow.data.ingest.scan import scan
from phytoflow.data.parts import scan as module
from phytoflow.data.parts.scan import merge_parts, scan_in_parts, scan_part
from phytoflow.data.settings import DataSettings
from phytoflow.errors import DataError, StorageError
from tests.support.photo_folder import make_folder, write
from tests.support.services.object_store import object_store

SETTINGS = DataSettings(threads=1, parts=5)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = make_folder(tmp_path / "bucket" / "photos", {"rust": 9, "healthy": 8, "scab-1": 3})
    write(root / "rust" / "bad.jpg", b"no photo")
    write(root / "rust" / ".cache" / "x", b"hidden")
    write(root / "notes.txt", b"")
    return root


@pytest.fixture
def whole(root: Path) -> pd.DataFrame:
    return scan(root, read_labels(root, SETTINGS), SETTINGS)


def scan_parts(root: Path | str, folder: Path, numbers: Iterator[int] | range, parts: int) -> list[Path]:
    files = []
    for number in numbers:
        files.append(folder / f"{number}.parquet")
        scan_part(root, SETTINGS, number, parts, "v", files[-1])
    return files


@pytest.mark.parametrize("parts", [1, 4, 16])
def test_parts_scanned_apart_are_together_the_scan(
    root: Path, whole: pd.DataFrame, tmp_path: Path, parts: int
) -> None:
    files = scan_parts(root, tmp_path, reversed(range(parts)), parts)
    pd.testing.assert_frame_equal(merge_parts(files, root), whole)


def test_photos_in_a_store_are_read_without_a_copy(
    root: Path, whole: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with object_store(tmp_path, monkeypatch):
        table = merge_parts(scan_parts("s3://bucket/photos", tmp_path, range(3), 3), "s3://bucket/photos")
    assert set(table["file"].str.rpartition("/photos/")[0]) == {"s3://bucket"}
    pd.testing.assert_frame_equal(table.drop(columns="file"), whole.drop(columns="file"))


def test_a_part_that_is_missing_or_of_other_photos_is_said(root: Path, tmp_path: Path) -> None:
    files = scan_parts(root, tmp_path, range(3), 3)
    with pytest.raises(DataError, match=r"of 3 parts of .* there are 0, 2"):
        merge_parts([files[0], files[2]], root)
    write(root / "rust" / "more.jpg", b"x")
    scan_part(root, SETTINGS, 1, 3, "v", files[1])
    with pytest.raises(DataError, match="changed while their parts were scanned"):
        merge_parts(files, root)


def test_finished_parts_are_not_scanned_again(
    root: Path, whole: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels, read, calls = read_labels(root, SETTINGS), module.read_table, []

    def interrupted_in_the_third(*given: object) -> pd.DataFrame:
        calls.append(1)
        if len(calls) == 3:
            raise StorageError("the power failed", remedy="none")
        return read(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "read_table", interrupted_in_the_third)
    with pytest.raises(StorageError, match="power"):
        scan_in_parts(root, labels, SETTINGS, "v", tmp_path / "parts")
    assert len(list((tmp_path / "parts").iterdir())) == 2
    table = scan_in_parts(root, labels, SETTINGS, "v", tmp_path / "parts")
    assert len(calls) == 3 + 3
    pd.testing.assert_frame_equal(table, whole)
    scan_in_parts(root, labels, SETTINGS, "of other settings", tmp_path / "parts")
    assert len(calls) == 6 + 5


def test_a_damaged_part_is_scanned_again(root: Path, whole: pd.DataFrame, tmp_path: Path) -> None:
    labels = read_labels(root, SETTINGS)
    scan_in_parts(root, labels, SETTINGS, "v", tmp_path / "parts")
    for file in list((tmp_path / "parts").iterdir())[:2]:
        file.write_bytes(file.read_bytes()[:50])
    pd.testing.assert_frame_equal(scan_in_parts(root, labels, SETTINGS, "v", tmp_path / "parts"), whole)


def test_no_files_at_all_are_said(tmp_path: Path) -> None:
    (tmp_path / "photos" / "rust").mkdir(parents=True)
    files = scan_parts(tmp_path / "photos", tmp_path, range(2), 2)
    with pytest.raises(DataError, match="holds no files"):
        merge_parts(files, tmp_path / "photos")
