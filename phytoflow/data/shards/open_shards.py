"""The few shards that a process has open, of a local or a remote dataset."""

from __future__ import annotations

import hashlib
import os
from collections import OrderedDict
from typing import IO, Any

from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.shards.cache import ShardCache
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.shards.format import ShardEntry, read_sample
from phytoflow.data.shards.order import OPEN_SHARDS
from phytoflow.storage.shared_folder import shared_folder
from phytoflow.storage.uri import is_local, local_path, open_uri


class OpenShards:
    """The open shards of one process; files are opened when first needed and not pickled.

    Attributes:
        dataset: The dataset.
        upcoming: By file name of a shard: those that are read with it or right after.
        open: Open files by name, the one used last at the end.
        cache: Copies of a remote dataset's shards; None for a local one.
    """

    def __init__(self, dataset: Dataset, upcoming: dict[str, list[ShardEntry]]) -> None:
        self.dataset = dataset
        self.upcoming = upcoming
        self.open: OrderedDict[str, IO[bytes]] = OrderedDict()
        self._fetched: list[ShardEntry] = []
        self.cache: ShardCache | None = None
        if not is_local(dataset.root):
            self.cache = ShardCache(dataset, shared_folder(_cache_name(dataset)))

    def photo(self, shard: ShardEntry, number: int) -> LabelledPhoto:
        """Reads one photo of a shard.

        Args:
            shard: One of those in ``upcoming``.
            number: Position of the photo in it.

        Raises:
            StorageError: The shard is missing, cut short or altered.
        """
        start, end = shard.offsets[number : number + 2]
        # pread has no file position: forked processes that share a descriptor do not disturb each other.
        block = os.pread(self._file(shard).fileno(), end - start, start)
        return read_sample(block, shard, number, self.dataset.shard_uri(shard))

    def _file(self, shard: ShardEntry) -> IO[bytes]:
        if shard.file not in self.open:
            if len(self.open) >= OPEN_SHARDS:
                self.open.popitem(last=False)[1].close()
            self.open[shard.file] = self._open(shard)
        self.open.move_to_end(shard.file)
        return self.open[shard.file]

    def _open(self, shard: ShardEntry) -> IO[bytes]:
        if self.cache is None:
            uri = self.dataset.shard_uri(shard)
            with open_uri(uri):  # says in words why it cannot be read
                return local_path(uri).open("rb")
        if self.upcoming[shard.file] is not self._fetched:  # the first of its window
            self._fetched = self.upcoming[shard.file]
            self.cache.prefetch(self._fetched)
        return self.cache.open(shard)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "open": OrderedDict(), "_fetched": []}


def _cache_name(dataset: Dataset) -> str:
    """Name of the folder for copies: the same for the same shards in the same place."""
    text = " ".join([dataset.root, *(shard.sha256 for shard in dataset.shards)])
    return f"phytoflow-shards-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
