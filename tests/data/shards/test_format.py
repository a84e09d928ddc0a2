import hashlib
import io
import tarfile
from pathlib import Path

import pytest

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.format import stream_shard
from phytoflow.data.shards.writer import write_shards
from phytoflow.errors import StorageError
from tests.support.shard_folder import photo

INDEX = {"healthy": 0, "rust": 1}


def test_photos_come_back_as_they_were(tmp_path: Path) -> None:
    photos = [photo(n, "PNG" if n == 2 else "JPEG") for n in range(5)]
    (entry,) = write_shards("train", photos, INDEX, tmp_path, 2**20)
    with (tmp_path / entry.file).open("rb") as file:
        assert list(stream_shard(file, entry, entry.file)) == photos
    assert entry.labels == (0, 1, 0, 1, 0)
    assert entry.sha256 == hashlib.sha256((tmp_path / entry.file).read_bytes()).hexdigest()
    assert entry.bytes == (tmp_path / entry.file).stat().st_size


def test_surrogate_escaped_names_survive(tmp_path: Path) -> None:
    odd = LabelledPhoto("rust/\udcff.jpg", "rust", "rust/\udcff.jpg", photo(1).content)
    (entry,) = write_shards("train", [odd], INDEX, tmp_path, 2**20)
    with (tmp_path / entry.file).open("rb") as file:
        assert list(stream_shard(file, entry, entry.file)) == [odd]


@pytest.mark.parametrize(("keep", "says"), [(0.5, "fewer than the 4 photos"), (0.0, "ends in photo 1")])
def test_a_shard_cut_short_is_noticed(tmp_path: Path, keep: float, says: str) -> None:
    (entry,) = write_shards("train", (photo(n) for n in range(4)), INDEX, tmp_path, 2**20)
    whole = (tmp_path / entry.file).read_bytes()
    with pytest.raises(StorageError, match=says):
        list(stream_shard(io.BytesIO(whole[: int(len(whole) * keep)]), entry, "shard"))


def test_an_altered_photo_is_noticed_and_named(tmp_path: Path) -> None:
    (entry,) = write_shards("train", (photo(n) for n in range(3)), INDEX, tmp_path, 2**20)
    content = bytearray((tmp_path / entry.file).read_bytes())
    content[entry.offsets[1] + tarfile.BLOCKSIZE + 700] ^= 1
    with pytest.raises(StorageError, match="photo 2 of 3 was altered"):
        list(stream_shard(io.BytesIO(content), entry, "shard"))
