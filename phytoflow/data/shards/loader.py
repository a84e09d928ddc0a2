"""Loads batches from shards: shuffled, augmented, split over workers and ranks, and reproducible.

A batch depends on the seed, the epoch, the photos and the rank, never on the number of workers or on earlier
batches. An epoch that is resumed after a crash is therefore the epoch that was lost. The order of all photos
does not depend on the number of ranks: the first batches of all ranks together are the first batch of one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import accumulate

import numpy as np
import torch
from PIL import Image
from torch.utils.data import DataLoader
from torch.utils.data import Dataset as TorchDataset

from phytoflow.data.augmentation.presets import ExactPixels
from phytoflow.data.images.labelled_photo import LabelledPhoto
from phytoflow.data.images.limits import ACCEPTED
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.shards.open_shards import OpenShards
from phytoflow.data.shards.order import epoch_order, upcoming_shards
from phytoflow.errors import PhotoError

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
    rows: slice = slice(None),
) -> DataLoader[Item]:
    """Returns a loader of one epoch of a split: (images [N, ...], labels int64 [N], index int64 [N]).

    ``index`` is the photo's position in file order within the split, as in ``dataset.photos(split)`` and
    ``dataset.labels(split)``. Every photo occurs once, on one rank; ranks may differ by one photo.

    Memory: photos are read one by one, from at most four open shards per worker. Shards of a remote dataset
    are copied to a temporary folder that all workers and ranks of this machine share. The next four are
    fetched while four are read, and the copies are kept for the next epoch as far as there is room.

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
        rows: Which of this rank's photos are loaded, in their order: e.g. those after an interruption.
    """
    seeds = (seed, epoch) if shuffle else None
    files = OpenShards(dataset, upcoming_shards(dataset.shards_of(split), seeds))
    transform = transform or ExactPixels(dataset.summary.preprocessing)
    photos = _Photos(dataset, split, transform, (seed, epoch), files)
    order = epoch_order([s.count for s in photos.shards], seeds)
    return DataLoader(
        photos,
        batch_size=batch_size,
        sampler=order[rank::world_size][rows].tolist(),
        num_workers=workers,
        pin_memory=torch.cuda.is_available(),
    )


def batch_loader(
    dataset: Dataset,
    split: str,
    batches: Sequence[list[int]],
    *,
    transform: Transform,
    seed: int,
    epoch: int,
    workers: int,
) -> DataLoader[Item]:
    """Returns a loader of given batches, as ``image_loader`` does.

    Args:
        dataset: An opened dataset.
        split: ``train``, ``validation`` or ``test``.
        batches: Positions in file order of the photos of each batch, in the order of the epoch.
        transform: As for ``image_loader``.
        seed: With ``epoch``, determines the random numbers of ``transform``.
        epoch: Number of the epoch.
        workers: Loader processes; 0: this process loads.
    """
    files = OpenShards(dataset, upcoming_shards(dataset.shards_of(split), (seed, epoch)))
    photos = _Photos(dataset, split, transform, (seed, epoch), files)
    return DataLoader(
        photos, batch_sampler=batches, num_workers=workers, pin_memory=torch.cuda.is_available()
    )


class _Photos(TorchDataset[Item]):
    """A split as a map from a photo's position to its tensor."""

    def __init__(
        self, dataset: Dataset, split: str, transform: Transform, seeds: tuple[int, ...], files: OpenShards
    ) -> None:
        self.dataset = dataset
        self.shards = dataset.shards_of(split)
        self.starts = [0, *accumulate(shard.count for shard in self.shards)]
        self.transform = transform
        self.seeds = seeds
        self.files = files

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


def _mix(seeds: tuple[int, ...]) -> int:
    return int(np.random.SeedSequence(seeds).generate_state(1, np.uint64)[0])
