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
from phytoflow.data.shards.loader import image_loader

Batch = tuple[Tensor, Tensor]


class Batches(Protocol):
    """Source of a fit's batches: (inputs [N, ...], labels int64 [N])."""

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
    """

    views: Sequence[NDArray[Any]]
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]
    held_out: tuple[NDArray[Any], NDArray[np.int64]] | None
    batch_size: int
    seed: int
    probabilities: NDArray[np.float64] | None = None

    def train(self, epoch: int) -> DataLoader[Batch]:
        """See Batches."""
        return self._loader(lambda: self._draw(epoch), len(self.rows))

    def validation(self) -> DataLoader[Batch] | list[Batch]:
        """See Batches."""
        return self._loader(self._read_held_out, len(self.held_out[1])) if self.held_out is not None else []

    def _loader(self, batches: Callable[[], Iterator[Batch]], photos: int) -> DataLoader[Batch]:
        return DataLoader(_BatchStream(batches, -(-photos // self.batch_size)), batch_size=None)

    def _draw(self, epoch: int) -> Iterator[Batch]:
        generator = np.random.default_rng((self.seed, epoch))
        count = len(self.rows)
        if self.probabilities is None:
            order = generator.permutation(self.rows)
        else:
            order = generator.choice(self.rows, count, p=self.probabilities)
        view_of_photo = generator.integers(len(self.views), size=count)
        for start in range(0, count, self.batch_size):
            rows = order[start : start + self.batch_size]
            views = view_of_photo[start : start + self.batch_size]
            inputs = [self.views[view][row] for view, row in zip(views, rows, strict=True)]
            yield _tensors(np.stack(inputs), self.labels[rows])

    def _read_held_out(self) -> Iterator[Batch]:
        assert self.held_out is not None
        inputs, labels = self.held_out
        for start in range(0, len(labels), self.batch_size):
            yield _tensors(inputs[start : start + self.batch_size], labels[start : start + self.batch_size])


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
    """

    dataset: Dataset
    preprocessing: Preprocessing
    preset: Any
    batch_size: int
    seed: int
    workers: int
    held_out: CachedBatches | None = None

    def train(self, epoch: int) -> Any:
        """See Batches."""
        transform = augmentation(self.preset, self.preprocessing.size, self.preprocessing)
        return self._load("train", epoch, transform, shuffle=True)

    def validation(self) -> Any:
        """See Batches."""
        if self.held_out is not None:
            return self.held_out.validation()
        return self._load("validation", 0, None, shuffle=False)

    def _load(self, split: str, epoch: int, transform: Any, *, shuffle: bool) -> Any:
        return image_loader(
            self.dataset,
            split,
            transform=transform,
            batch_size=self.batch_size,
            seed=self.seed,
            epoch=epoch,
            workers=self.workers,
            shuffle=shuffle,
        )


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
