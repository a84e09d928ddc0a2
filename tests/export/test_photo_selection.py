"""The same photos every time, spread over the classes."""

from pathlib import Path

import pytest

from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import DataError
from phytoflow.export.photo_selection import select_photos, select_test_photos, stratified_indices
from tests.support.shard_folder import dataset_folder


def test_classes_take_turns() -> None:
    labels = ["a"] * 50 + ["b"] * 3 + ["c"] * 20
    selected = [labels[i] for i in stratified_indices(labels, 9)]
    assert [selected.count(label) for label in "abc"] == [3, 3, 3]
    assert len(stratified_indices(labels, 1000)) == len(set(stratified_indices(labels, 1000))) == 73
    assert [labels[i] for i in stratified_indices(labels, 2)] == ["a", "b"]
    assert stratified_indices([], 5) == []


def test_photos_of_a_split_are_selected_by_class(tmp_path: Path) -> None:
    dataset_folder(tmp_path, {"train": 20, "validation": 0, "test": 6})
    dataset = Dataset.open(tmp_path)
    assert [photo.label for photo in select_test_photos(dataset, 2)] == ["healthy", "rust"]
    assert select_test_photos(dataset, 99) == list(dataset.photos("test"))
    assert len(select_photos(dataset, "train", 5)) == 5 and select_photos(dataset, "validation", 5) == []


def test_a_dataset_without_test_photos_is_refused_with_a_remedy(tmp_path: Path) -> None:
    dataset_folder(tmp_path, {"train": 4, "validation": 0, "test": 0})
    with pytest.raises(DataError, match="no test photos") as raised:
        select_test_photos(Dataset.open(tmp_path), 2)
    assert "data.test_fraction" in raised.value.remedy
