"""Batches of an epoch, from cached arrays or streamed photos; seed and epoch determine them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader, IterableDataset

from phytoflow.data.augmentation.presets import augmentation
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.shards.loader import batch_loader, image_loader
from phytoflow.data.shards.order import epoch_order
from phytoflow.training.distributed.shares import WHOLE, Part, Share

Batch = tuple[Tensor, ...]
"""Inputs [N, ...] and labels int64 [N]. A part of a batch that is shared has two more: the labels of the
whole batch, int64 [B], and how many of the N, the last ones, are the part's own."""


class Batches(Protocol):
    """Source of a fit's batches: (inputs [N, ...], labels int64 [N]).

    Attributes:
        share: What this process computes of each batch.
    """

    @property
    def share(self) -> Share:
        """See above."""

    def train(self, epoch: int) -> Any:
        """Shuffled batches of an epoch."""

    def validation(self) -> Any:
        """Validation batches in a fixed order; empty if nothing is held out."""


@dataclass(frozen=True)
class CachedBatches:
    """Batches of cached arrays; each photo is drawn in one of its views.

    Attributes:
        views: One array for each view, [N, ...].
        labels: Class numbers [N].
        rows: Photos to train on, as rows of the arrays.
        held_out: Inputs and labels to validate on, or None.
        batch_size: Photos in a batch.
        seed: With the epoch, determines order and views.
        probabilities: Probability with which each of ``rows`` is drawn; None: each once.
        share: What this process computes of each batch.
        mixed: Whether photos of a batch are mixed, so that parts need a photo more.
    """

    views: Sequence[NDArray[Any]]
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]
    held_out: tuple[NDArray[Any], NDArray[np.int64]] | None
    batch_size: int
    seed: int
    probabilities: NDArray[np.float64] | None = None
    share: Share = WHOLE
    mixed: bool = False

    def train(self, epoch: int) -> DataLoader[Batch]:
        """See Batches."""
        count = -(-len(self.rows) // self.batch_size) * self.share.steps
        return _stream(lambda: self._draw(epoch), count)

    def validation(self) -> DataLoader[Batch] | list[Batch]:
        """See Batches. With fewer photos than processes some have one empty batch."""
        if self.held_out is None:
            return []
        inputs, labels = (part[self.share.held_out(len(part))] for part in self.held_out)
        starts = range(0, max(1, len(labels)), self.batch_size)
        rows = [slice(start, start + self.batch_size) for start in starts]
        return _stream(lambda: (_tensors(inputs[part], labels[part]) for part in rows), len(rows))

    def _draw(self, epoch: int) -> Iterator[Batch]:
        generator = np.random.default_rng((self.seed, epoch))
        count = len(self.rows)
        if self.probabilities is None:
            order = generator.permutation(self.rows)
        else:
            order = generator.choice(self.rows, count, p=self.probabilities)
        view_of_photo = generator.integers(len(self.views), size=count)
        for start in range(0, count, self.batch_size):
            batch = slice(start, start + self.batch_size)
            yield from self._parts(order[batch], view_of_photo[batch])

    def _parts(self, rows: NDArray[np.int64], view_of_photo: NDArray[np.int64]) -> Iterator[Batch]:
        if self.share.parts == 1:
            yield self._load(rows, view_of_photo)
            return
        batch_labels = torch.from_numpy(self.labels[rows])
        for part in self.share.parts_of(len(rows)):
            chosen = part.rows(mixed=self.mixed)
            yield (*self._load(rows[chosen], view_of_photo[chosen]), batch_labels, torch.tensor(part.length))

    def _load(self, rows: NDArray[np.int64], view_of_photo: NDArray[np.int64]) -> Batch:
        inputs = [self.views[view][row] for view, row in zip(view_of_photo, rows, strict=True)]
        return _tensors(np.stack(inputs), self.labels[rows])


@dataclass(frozen=True)
class StreamedBatches:
    """Batches of photos, newly augmented in each epoch: uint8 [N, 3, H, W].

    Attributes:
        dataset: Its training and validation photos.
        preprocessing: Size that photos are cropped to.
        preset: Augmentation preset.
        batch_size: Photos in a batch.
        seed: With the epoch, determines order and augmentation.
        workers: Loader processes.
        held_out: Cached activations of the validation photos, used instead of the photos if given.
        share: What this process computes of each batch.
        mixed: Whether photos of a batch are mixed, so that parts need a photo more.
    """

    dataset: Dataset
    preprocessing: Preprocessing
    preset: Any
    batch_size: int
    seed: int
    workers: int
    held_out: CachedBatches | None = None
    share: Share = WHOLE
    mixed: bool = False

    def train(self, epoch: int) -> Any:
        """See Batches."""
        transform = augmentation(self.preset, self.preprocessing.size, self.preprocessing)
        if self.share.parts == 1:
            return self._load("train", epoch=epoch, transform=transform, shuffle=True)
        shards = self.dataset.shards_of("train")
        order = epoch_order([shard.count for shard in shards], (self.seed, epoch))
        batches = [order[start : start + self.batch_size] for start in range(0, len(order), self.batch_size)]
        parts = [(rows, part) for rows in batches for part in self.share.parts_of(len(rows))]
        chosen = [rows[part.rows(mixed=self.mixed)].tolist() for rows, part in parts]
        loader = batch_loader(
            self.dataset,
            "train",
            chosen,
            transform=transform,
            seed=self.seed,
            epoch=epoch,
            workers=self.workers,
        )
        return _stream(lambda: self._with_batches(loader, parts), len(parts))

    def validation(self) -> Any:
        """See Batches. With fewer photos than processes some have one empty batch."""
        if self.held_out is not None:
            return self.held_out.validation()
        own = self.share.held_out(self.dataset.count("validation"))
        if own.start < own.stop or self.share.parts == 1:
            return self._load("validation", rows=own)
        photo, label, _ = next(iter(self._load("validation", rows=slice(1))))
        return [(photo[:0], label[:0])]

    def _with_batches(self, loader: Any, parts: Sequence[tuple[NDArray[np.int64], Part]]) -> Iterator[Batch]:
        labels = torch.tensor(self.dataset.labels("train"))
        for (photos, own, _), (rows, part) in zip(loader, parts, strict=True):
            yield photos, own, labels[torch.from_numpy(rows)], torch.tensor(part.length)

    def _load(self, split: str, **options: Any) -> Any:
        chosen = {"batch_size": self.batch_size, "seed": self.seed, "workers": self.workers} | options
        return image_loader(self.dataset, split, **chosen)


def _stream(batches: Callable[[], Iterator[Batch]], count: int) -> DataLoader[Batch]:
    return DataLoader(_BatchStream(batches, count), batch_size=None)


class _BatchStream(IterableDataset[Batch]):
    """Batches of a known number, so that learning-rate schedules end with the last epoch."""

    def __init__(self, batches: Callable[[], Iterator[Batch]], count: int) -> None:
        self.batches, self.count = batches, count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Batch]:
        return self.batches()


def _tensors(inputs: NDArray[Any], labels: NDArray[np.int64]) -> Batch:
    return torch.from_numpy(np.asarray(inputs, np.float32)), torch.from_numpy(labels)
