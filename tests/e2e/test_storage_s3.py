"""Folders, files and datasets on a real S3 server."""

from pathlib import Path

import pytest

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.prepare import prepare
from phytoflow.data.settings import DataSettings
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.sources.resolve import localise_source, source_version
from phytoflow.data.synthetic.dataset import make_synthetic_dataset
from phytoflow.errors import StorageError
from phytoflow.storage.uri import exists, fetch_folder, put_file, put_folder, read_bytes


def test_a_folder_goes_there_and_back(bucket: str, tmp_path: Path) -> None:
    (tmp_path / "from" / "sub").mkdir(parents=True)
    (tmp_path / "from" / "sub" / "blüte 1.txt").write_text("one")
    put_folder(tmp_path / "from", f"s3://{bucket}/a/b")
    assert (fetch_folder(f"s3://{bucket}/a/b", tmp_path / "to") / "sub" / "blüte 1.txt").read_text() == "one"
    put_file(tmp_path / "from" / "sub" / "blüte 1.txt", f"s3://{bucket}/c.txt")
    assert read_bytes(f"s3://{bucket}/c.txt") == b"one"
    assert exists(f"s3://{bucket}/a") and not exists(f"s3://{bucket}/none")


def test_what_is_not_there_is_said(bucket: str, tmp_path: Path) -> None:
    for uri in (f"s3://{bucket}/none", "s3://no-such-bucket-here/none"):
        with pytest.raises(StorageError, match="none"):
            fetch_folder(uri, tmp_path / "to")
        assert not (tmp_path / "to").exists()


def test_wrong_credentials_are_said(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong-secret-words")
    with pytest.raises(StorageError, match="AWS_SECRET_ACCESS_KEY") as refusal:
        fetch_folder(f"s3://{bucket}/a", tmp_path / "to")
    assert "wrong-secret-words" not in str(refusal.value)


def test_photos_and_shards_stream_from_s3(bucket: str, tmp_path: Path) -> None:
    make_synthetic_dataset(tmp_path / "photos", photos_per_class=6, seed=1)
    put_folder(tmp_path / "photos", f"s3://{bucket}/photos")
    first = source_version(f"s3://{bucket}/photos")
    photos = localise_source(f"s3://{bucket}/photos", tmp_path / "work")
    prepare(str(photos), DataSettings(), Preprocessing(), 0, tmp_path / "dataset")
    put_folder(tmp_path / "dataset", f"s3://{bucket}/dataset")
    here, there = Dataset.open(tmp_path / "dataset"), Dataset.open(f"s3://{bucket}/dataset")
    assert list(there.photos("test")) == list(here.photos("test"))
    put_file(tmp_path / "dataset" / "dataset.json", f"s3://{bucket}/photos/healthy/new.jpg")
    assert source_version(f"s3://{bucket}/photos") != first
