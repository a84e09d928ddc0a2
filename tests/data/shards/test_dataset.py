from pathlib import Path

import pytest

from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import DataError, StorageError
from tests.support.services.object_store import object_store
from tests.support.shard_folder import dataset_folder, photo

COUNTS = {"train": 9, "validation": 2, "test": 3}


def test_photos_come_in_file_order(tmp_path: Path) -> None:
    dataset_folder(tmp_path, COUNTS, shard_bytes=20_000)
    dataset = Dataset.open(tmp_path)
    assert len(dataset.shards_of("train")) > 1
    assert list(dataset.photos("train")) == [photo(n) for n in range(9)]
    assert dataset.labels("train") == [n % 2 for n in range(9)]
    assert dataset.classes == ("healthy", "rust")
    assert dataset.count("test") == 3


def test_photos_stream_from_an_object_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dataset_folder(tmp_path / "bucket" / "some" / "set", COUNTS)
    with object_store(tmp_path, monkeypatch):
        dataset = Dataset.open("s3://bucket/some/set/")
        assert list(dataset.photos("validation")) == [photo(0), photo(1)]
        with pytest.raises(StorageError, match=r"s3://bucket/else/dataset\.json"):
            Dataset.open("s3://bucket/else")


def test_the_table_comes_from_photos_csv(tmp_path: Path) -> None:
    dataset_folder(tmp_path, COUNTS)
    (tmp_path / "photos.csv").write_text("path,label,split,reason\nNA/1.jpg,NA,train,\n")
    (row,) = Dataset.open(tmp_path).table.to_dict("records")
    assert row == {"path": "NA/1.jpg", "label": "NA", "split": "train", "reason": ""}


def test_an_unknown_split_is_refused(tmp_path: Path) -> None:
    dataset_folder(tmp_path, COUNTS)
    with pytest.raises(DataError, match="'val'"):
        next(Dataset.open(tmp_path).photos("val"))


def test_a_missing_shard_is_named(tmp_path: Path) -> None:
    dataset_folder(tmp_path, COUNTS)
    (tmp_path / "test-000000.tar").unlink()
    with pytest.raises(StorageError, match=r"test-000000\.tar"):
        list(Dataset.open(tmp_path).photos("test"))


def test_a_folder_without_facts_or_with_broken_ones_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"dataset\.json"):
        Dataset.open(tmp_path)
    dataset_folder(tmp_path, COUNTS)
    (tmp_path / "index.json").write_text('{"schema_version": 1, "sha')
    with pytest.raises(StorageError, match="not a whole dataset"):
        Dataset.open(tmp_path)


def test_facts_and_index_of_two_runs_are_refused(tmp_path: Path) -> None:
    dataset_folder(tmp_path, COUNTS)
    other = dataset_folder(tmp_path / "other", {**COUNTS, "train": 8})
    (tmp_path / "index.json").write_bytes((tmp_path / "other" / "index.json").read_bytes())
    assert sum(e.count for e in other) == 13
    with pytest.raises(DataError, match=r"counts 9 train photos, index\.json has 8"):
        Dataset.open(tmp_path)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    dataset_folder(tmp_path, COUNTS)
    path = tmp_path / "dataset.json"
    path.write_text(path.read_text().replace('"schema_version":1', '"schema_version":7'))
    with pytest.raises(DataError, match="schema 7"):
        Dataset.open(tmp_path)
