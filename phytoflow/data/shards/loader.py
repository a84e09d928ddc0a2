"""Loads batches from shards: shuffled, augmented, split over workers and ranks, and reproducible.

A batch depends on the seed, the epoch and the photos, never on the number of workers or on earlier batches.
An epoch that is resumed after a crash is therefore the epoch that was lost.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from itertools import accumulate
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from phytoflow.data.augmentation.presets import ExactPixels
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.images.limits import ACCEPTED
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.shards.format import ShardEntry, read_sample
from phytoflow.errors import PhotoError
from phytoflow.storage.uri import is_local, local_path, open_uri

OPEN_SHARDS = 4  # per process; bounds open files and, of a remote dataset, temporary copies
Transform = Callable[[Image.Image], torch.Tensor]
Item = tuple[torch.Tensor, int, int]


def image_loader(
    dataset: Dataset,
    split: str,
    *,
    transform: Transform | None = None,
    batch_size: int,
    seed: int,
    epoch: int = 0,
    workers: int = 0,
    rank: int = 0,
    world_size: int = 1,
    shuffle: bool = False,
    start: int = 0,
) -> DataLoader[Item]:
    """Returns a loader of one epoch of a split: (images [N, ...], labels int64 [N], index int64 [N]).

    ``index`` is the photo's position in file order within the split, as in ``dataset.photos(split)`` and
    ``dataset.labels(split)``. Every photo occurs once, on one rank; ranks may differ by one photo.

    Memory: photos are read one by one, from at most four open shards per worker. Shards of a remote dataset
    are copied to unnamed temporary files while they are open.

    Args:
        dataset: An opened dataset.
        split: ``train``, ``validation`` or ``test``.
        transform: Called with each decoded RGB photo; returns tensors of one size. None: the dataset's
            own preprocessing, uint8 [3, size, size].
        batch_size: Photos a batch; the last one may be smaller.
        seed: With ``epoch``, determines the order and the random numbers of ``transform``.
        epoch: Number of the epoch.
        workers: Loader processes; 0: this process loads.
        rank: Number of this process among ``world_size`` training processes.
        world_size: Number of training processes.
        shuffle: Whether to shuffle the shards, and the photos within each four of them; else file order.
        start: How many of this rank's photos are skipped: those before an interruption.
    """
    photos = _Photos(dataset, split, transform or ExactPixels(dataset.summary.preprocessing), (seed, epoch))
    order = epoch_order([s.count for s in photos.shards], (seed, epoch) if shuffle else None)
    return DataLoader(
        photos,
        batch_size=batch_size,
        sampler=order[rank::world_size][start:].tolist(),
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
    )


def epoch_order(counts: list[int], seeds: tuple[int, ...] | None) -> NDArray[np.int64]:
    """Returns the order in which photos are read: int64 [N], positions in file order.

    Shards are permuted, then the photos within each ``OPEN_SHARDS`` neighbouring shards, so that few files
    are open at a time.

    Args:
        counts: Photos in each shard.
        seeds: Determine the order; None: file order.
    """
    starts = [0, *accumulate(counts)]
    if seeds is None:
        return np.arange(starts[-1])
    generator = np.random.default_rng(seeds)
    shards = generator.permutation(len(counts))
    windows = [shards[i : i + OPEN_SHARDS] for i in range(0, len(shards), OPEN_SHARDS)]
    mixed = [
        generator.permutation(np.concatenate([np.arange(starts[s], starts[s + 1]) for s in window]))
        for window in windows
    ]
    return np.concatenate(mixed) if mixed else np.arange(0)


class _Photos(TorchDataset[Item]):
    """A split as a map from a photo's position to its tensor."""

    def __init__(self, dataset: Dataset, split: str, transform: Transform, seeds: tuple[int, ...]) -> None:
        self.dataset = dataset
        self.shards = dataset.shards_of(split)
        self.starts = [0, *accumulate(shard.count for shard in self.shards)]
        self.transform = transform
        self.seeds = seeds
        self.files = _OpenShards(dataset)

    def __len__(self) -> int:
        return self.starts[-1]

    def __getitem__(self, index: int) -> Item:
        shard = int(np.searchsorted(self.starts, index, side="right")) - 1
        number = index - self.starts[shard]
        photo = self.files.photo(self.shards[shard], number)
        image = self._decode(photo)
        # The generator is seeded for this photo alone and restored: the draws do not depend on other photos.
        with torch.random.fork_rng(devices=[]):
            torch.default_generator.manual_seed(
                _mix((*self.seeds, index))
            )  # the GPUs' generators are not touched
            return self.transform(image), self.shards[shard].labels[number], index

    def _decode(self, photo: LabelledPhoto) -> Image.Image:
        try:
            return self.dataset.summary.preprocessing.open(photo.content, ACCEPTED)
        except PhotoError as error:
            raise PhotoError(f"{photo.path}: {error.message}", reason=error.reason) from error


class _OpenShards:
    """The open shards of one process; files are opened when first needed and not pickled."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.open: OrderedDict[str, IO[bytes]] = OrderedDict()

    def photo(self, shard: ShardEntry, number: int) -> LabelledPhoto:
        start, end = shard.offsets[number : number + 2]
        # pread has no file position: forked processes that share a descriptor do not disturb each other.
        block = os.pread(self._file(shard).fileno(), end - start, start)
        return read_sample(block, shard, number, self.dataset.shard_uri(shard))

    def _file(self, shard: ShardEntry) -> IO[bytes]:
        if shard.file not in self.open:
            if len(self.open) >= OPEN_SHARDS:
                self.open.popitem(last=False)[1].close()
            self.open[shard.file] = _open_local(self.dataset.shard_uri(shard))
        self.open.move_to_end(shard.file)
        return self.open[shard.file]

    def __getstate__(self) -> dict[str, Any]:
        return {"dataset": self.dataset, "open": OrderedDict()}


def _open_local(uri: str) -> IO[bytes]:
    """Opens a shard as a local file: the shard itself, or an unnamed copy that ends with the process."""
    with open_uri(uri) as source:
        if is_local(uri):
            return local_path(uri).open("rb")
        copy = tempfile.TemporaryFile()  # noqa: SIM115 (kept open by the caller)
        shutil.copyfileobj(source, copy, 2**20)
        copy.flush()
        return copy


def _mix(seeds: tuple[int, ...]) -> int:
    return int(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0])
