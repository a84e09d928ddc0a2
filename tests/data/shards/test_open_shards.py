import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.shards.open_shards import OpenShards
from phytoflow.data.shards.order import OPEN_SHARDS, upcoming_shards
from tests.support.services.object_store import object_store
from tests.support.shard_folder import dataset_folder, photo


@pytest.fixture(params=["local", "remote"])
def dataset(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Dataset]:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    counts = {"train": 23, "validation": 2, "test": 3}
    dataset_folder(tmp_path / "bucket", counts, shard_bytes=20_000)
    if request.param == "local":
        yield Dataset.open(tmp_path / "bucket")
        return
    with object_store(tmp_path, monkeypatch):
        yield Dataset.open("s3://bucket")


def test_photos_of_many_shards_are_read_with_few_open(dataset: Dataset) -> None:
    shards = dataset.shards_of("train")
    assert len(shards) > OPEN_SHARDS
    files = OpenShards(dataset, upcoming_shards(shards, None))
    place = 0
    for shard in shards:
        for number in range(shard.count):
            assert files.photo(shard, number).content == photo(place).content
            assert len(files.open) <= OPEN_SHARDS
            place += 1
    assert place == 23


def test_they_can_be_sent_to_another_process(dataset: Dataset) -> None:
    shard = dataset.shards_of("train")[0]
    files = OpenShards(dataset, upcoming_shards(dataset.shards_of("train"), None))
    content = files.photo(shard, 0).content
    there = pickle.loads(pickle.dumps(files))
    assert not there.open
    assert there.photo(shard, 0).content == content
