import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from phytoflow.data.shards.cache import ShardCache
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.shards.format import ShardEntry
from phytoflow.errors import StorageError
from tests.support.services.object_store import object_store
from tests.support.shard_folder import dataset_folder


@pytest.fixture
def dataset(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Dataset]:
    """A remote dataset; its files lie in ``tmp_path/bucket``."""
    counts = {"train": 23, "validation": 2, "test": 3}
    dataset_folder(tmp_path / "bucket", counts, shard_bytes=20_000)
    with object_store(tmp_path, monkeypatch):
        yield Dataset.open("s3://bucket")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies"


def copies(folder: Path) -> set[str]:
    return {path.name for path in folder.glob("*.tar")}


def content(cache: ShardCache, shard: ShardEntry) -> bytes:
    with cache.open(shard) as file:
        return file.read()


def wait_for(folder: Path, names: set[str]) -> None:
    end = time.monotonic() + 10
    while copies(folder) != names and time.monotonic() < end:
        time.sleep(0.01)
    assert copies(folder) == names


def test_a_shard_is_fetched_once_and_is_the_same(dataset: Dataset, folder: Path, tmp_path: Path) -> None:
    shard = dataset.shards[0]
    original = tmp_path / "bucket" / shard.file
    expected = original.read_bytes()
    assert content(ShardCache(dataset, folder), shard) == expected
    original.unlink()
    assert content(ShardCache(dataset, folder), shard) == expected  # another process of this folder


def test_the_copies_stay_within_the_limit_and_the_oldest_goes(dataset: Dataset, folder: Path) -> None:
    one, two, three = dataset.shards_of("train")[:3]
    cache = ShardCache(dataset, folder, max_bytes=one.bytes + two.bytes + three.bytes - 1)
    with cache.open(one) as still_open:
        content(cache, two)
        content(cache, three)
        assert copies(folder) == {two.file, three.file}
        assert len(still_open.read()) == one.bytes
    content(cache, two)
    content(cache, one)
    assert copies(folder) == {two.file, one.file}


def test_a_shard_larger_than_the_limit_is_read_all_the_same(dataset: Dataset, folder: Path) -> None:
    cache = ShardCache(dataset, folder, max_bytes=1)
    for shard in dataset.shards_of("train")[:2]:
        assert len(content(cache, shard)) == shard.bytes
        assert copies(folder) == {shard.file}


def test_shards_are_fetched_ahead_as_far_as_there_is_room(dataset: Dataset, folder: Path) -> None:
    shards = dataset.shards_of("train")[:4]
    cache = ShardCache(dataset, folder, max_bytes=2 * sum(shard.bytes for shard in shards[:3]))
    cache.prefetch(shards)
    wait_for(folder, {shard.file for shard in shards[:3]})


def test_threads_that_want_the_same_shard_download_it_once(
    dataset: Dataset, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from phytoflow.data.shards import cache as module

    downloads, download = [], module._download
    monkeypatch.setattr(module, "_download", lambda *given: (downloads.append(1), download(*given)))
    caches = [ShardCache(dataset, folder) for _ in range(4)]
    threads = [threading.Thread(target=content, args=(cache, dataset.shards[0])) for cache in caches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert downloads == [1]


def test_a_file_that_vanishes_while_room_is_made_does_no_harm(dataset: Dataset, folder: Path) -> None:
    (folder / ".train-9.tar.partial-1-a").symlink_to(folder / "renamed meanwhile")
    assert len(content(ShardCache(dataset, folder), dataset.shards[0])) == dataset.shards[0].bytes


@pytest.mark.parametrize("change", [b"", b"x"], ids=["cut short", "altered"])
def test_a_wrong_shard_is_refused_and_not_kept(
    dataset: Dataset, folder: Path, tmp_path: Path, change: bytes
) -> None:
    shard = dataset.shards[0]
    path = tmp_path / "bucket" / shard.file
    path.write_bytes(path.read_bytes()[:-1] + change)
    with pytest.raises(StorageError, match=rf"{shard.file} is not the shard of the index"):
        ShardCache(dataset, folder).open(shard)
    assert copies(folder) == set()


def test_what_cannot_be_fetched_ahead_is_told_when_it_is_opened(
    dataset: Dataset, folder: Path, tmp_path: Path
) -> None:
    gone, there = dataset.shards_of("train")[:2]
    (tmp_path / "bucket" / gone.file).unlink()
    cache = ShardCache(dataset, folder)
    cache.prefetch([gone, there])
    wait_for(folder, {there.file})
    with pytest.raises(StorageError, match=gone.file):
        cache.open(gone)
