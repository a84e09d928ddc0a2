"""A prepared dataset: what it holds, and its photos, from a folder or an object store."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, ValidationError

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.shards.format import INDEX_FILE, ShardEntry, ShardIndex, stream_shard
from phytoflow.data.splits import SPLITS
from phytoflow.errors import DataError, StorageError
from phytoflow.storage.uri import open_uri, read_bytes

if TYPE_CHECKING:
    import pandas as pd

SUMMARY_FILE = "dataset.json"
TABLE_FILE = "photos.csv"
SCHEMA_VERSION = 1
# Read as they are written: a class may be called "NA" or "-1", and a hash may look like a number.
_TEXT_COLUMNS = ("path", "label", "group", "split", "reason", "format", "sha256", "phash")


class DatasetSummary(BaseModel):
    """``dataset.json``: what a prepared dataset holds.

    Attributes:
        schema_version: Of the dataset folder.
        data_hash: Of the photos used, their labels and groups; the same photos give the same hash.
        classes: Labels in the order of their class numbers.
        counts: Photos by split and label.
        groups: Groups by split.
        seed: Of the split.
        preprocessing: What the training photos were resized for.
        name: Last part of the photos' address, for people; empty in datasets made before it was kept.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    schema_version: int = SCHEMA_VERSION
    data_hash: str
    classes: tuple[str, ...]
    counts: dict[str, dict[str, int]]
    groups: dict[str, int]
    seed: int
    preprocessing: Preprocessing
    name: str = ""


class Dataset:
    """The dataset folder written by ``phytoflow.data.prepare``, opened for reading.

    Holds no open file: it can be sent to other processes.

    Attributes:
        root: Folder or URI.
        summary: Its ``dataset.json``.
        shards: Every shard, in order.
    """

    def __init__(self, root: str, summary: DatasetSummary, shards: tuple[ShardEntry, ...]) -> None:
        self.root = root
        self.summary = summary
        self.shards = shards

    @classmethod
    def open(cls, location: str | Path) -> Dataset:
        """Opens a dataset folder, a path or a URI such as ``s3://bucket/prefix``.

        Raises:
            StorageError: If it cannot be read or is not a dataset folder.
            DataError: If its schema is of another version, or summary and index disagree.
        """
        root = str(location).rstrip("/")
        try:
            summary = DatasetSummary.model_validate_json(read_bytes(f"{root}/{SUMMARY_FILE}"))
            shards = ShardIndex.model_validate_json(read_bytes(f"{root}/{INDEX_FILE}")).shards
        except ValidationError as error:
            raise StorageError(
                f"{root} is not a whole dataset folder: {error}", remedy="run the preprocess step again"
            ) from error
        return cls(root, summary, shards)._checked()

    @property
    def classes(self) -> tuple[str, ...]:
        """Labels in the order of their class numbers."""
        return self.summary.classes

    @property
    def table(self) -> pd.DataFrame:
        """Every photo found, one a row, with its split or the reason it was excluded (``photos.csv``)."""
        import pandas as pd

        with open_uri(f"{self.root}/{TABLE_FILE}") as file:
            return pd.read_csv(file, keep_default_na=False, dtype=dict.fromkeys(_TEXT_COLUMNS, str))

    def count(self, split: str) -> int:
        """Photos in a split."""
        return sum(shard.count for shard in self.shards_of(split))

    def labels(self, split: str) -> list[int]:
        """Class number of each photo of a split, in file order; reads no photo."""
        return [label for shard in self.shards_of(split) for label in shard.labels]

    def shards_of(self, split: str) -> list[ShardEntry]:
        """The shards of a split, in order."""
        return [shard for shard in self.shards if shard.split == split]

    def shard_uri(self, shard: ShardEntry) -> str:
        """Path or URI of a shard's file."""
        return f"{self.root}/{shard.file}"

    def photos(self, split: str) -> Iterator[LabelledPhoto]:
        """The photos of a split in file order, streamed: one in memory at a time.

        Raises:
            DataError: If there is no such split.
            StorageError: If a shard is missing, cut short or altered.
        """
        _check_split(split)
        for shard in self.shards_of(split):
            uri = self.shard_uri(shard)
            with open_uri(uri) as file:
                yield from stream_shard(file, shard, uri)

    def _checked(self) -> Dataset:
        if self.summary.schema_version != SCHEMA_VERSION:
            found = self.summary.schema_version
            what = f"{self.root} has dataset schema {found}, this version reads {SCHEMA_VERSION}"
            raise DataError(what, remedy="run the preprocess step again with this version")
        for split in SPLITS:
            listed, indexed = sum(self.summary.counts.get(split, {}).values()), self.count(split)
            if listed != indexed:
                raise DataError(
                    f"{self.root}: {SUMMARY_FILE} counts {listed} {split} photos, {INDEX_FILE} has {indexed}",
                    remedy="run the preprocess step again: the folder mixes two runs",
                )
        return self


def _check_split(split: str) -> None:
    if split not in SPLITS:
        raise DataError(f"There is no split {split!r}", remedy=f"use one of {', '.join(SPLITS)}")
