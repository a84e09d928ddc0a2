"""Shards as they are written."""

import io
from pathlib import Path

import webdataset
from PIL import Image

from phytoflow.data.shards.writer import image_extension, write_shards
from tests.support.shard_folder import photo

INDEX = {"healthy": 0, "rust": 1}


def test_the_tar_is_read_by_webdataset(tmp_path: Path) -> None:
    photos = [photo(0), photo(1, "PNG")]
    write_shards("train", photos, INDEX, tmp_path, 2**20)
    url = str(tmp_path / "train-000000.tar")
    samples = list(webdataset.WebDataset(url, shardshuffle=False, empty_check=False))
    assert [s["__key__"] for s in samples] == ["00000000", "00000001"]
    assert samples[0]["jpg"] == photos[0].content
    assert samples[1]["png"] == photos[1].content
    assert [s["cls"] for s in samples] == [b"0", b"1"]


def test_a_shard_closes_once_it_is_full(tmp_path: Path) -> None:
    entries = write_shards("test", (photo(n) for n in range(7)), INDEX, tmp_path, 10_000)
    assert [e.file for e in entries] == [f"test-{n:06d}.tar" for n in range(len(entries))]
    assert len(entries) > 2
    assert sum(e.count for e in entries) == 7
    assert all(e.offsets[-2] < 10_000 <= e.offsets[-1] for e in entries[:-1])


def test_the_same_photos_give_the_same_bytes(tmp_path: Path) -> None:
    hashes = set()
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        hashes.add(write_shards("train", [photo(1)], INDEX, tmp_path / name, 2**20)[0].sha256)
    assert len(hashes) == 1


def test_no_photos_give_no_shard(tmp_path: Path) -> None:
    assert write_shards("train", [], INDEX, tmp_path, 2**20) == []
    assert list(tmp_path.iterdir()) == []


def test_the_extension_follows_the_bytes_not_the_name() -> None:
    content = io.BytesIO()
    Image.new("RGB", (8, 8)).save(content, "WEBP")
    assert image_extension(content.getvalue()) == "webp"
    assert image_extension(photo(0).content) == "jpg"
    assert image_extension(b"no image") == "img"
