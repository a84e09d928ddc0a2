"""Batches of one epoch, from kept activations or from photos; the same for the same seed and epoch."""

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
    """Where a fit's batches come from: (inputs [N, ...], labels int64 [N])."""

    def train(self, epoch: int) -> Any:
        """Shuffled batches of an epoch."""

    def validation(self) -> Any:
        """Batches for judging, in a fixed order; empty where there is nothing to judge on."""


@dataclass(frozen=True)
class CachedBatches:
    """Batches of arrays already computed; each photo is drawn in one of its views.

    Attributes:
        views: One array a view [N, ...].
        labels: Class numbers [N].
        rows: Photos to train on.
        judged: Inputs and labels to validate on, or None.
        batch_size: Photos a batch.
        seed: With the epoch, decides order and views.
        probabilities: How likely each of ``rows`` is drawn; None: each once.
    """

    views: Sequence[NDArray[Any]]
    labels: NDArray[np.int64]
    rows: NDArray[np.int64]
    judged: tuple[NDArray[Any], NDArray[np.int64]] | None
    batch_size: int
    seed: int
    probabilities: NDArray[np.float64] | None = None

    def train(self, epoch: int) -> DataLoader[Batch]:
        """See Batches."""
        return self._loader(lambda: self._drawn(epoch), len(self.rows))

    def validation(self) -> DataLoader[Batch] | list[Batch]:
        """See Batches."""
        return self._loader(self._judged, len(self.judged[1])) if self.judged is not None else []

    def _loader(self, batches: Callable[[], Iterator[Batch]], photos: int) -> DataLoader[Batch]:
        return DataLoader(_Stream(batches, -(-photos // self.batch_size)), batch_size=None)

    def _drawn(self, epoch: int) -> Iterator[Batch]:
        generator = np.random.default_rng((self.seed, epoch))
        count = len(self.rows)
        if self.probabilities is None:
            order = generator.permutation(self.rows)
        else:
            order = generator.choice(self.rows, count, p=self.probabilities)
        which = generator.integers(len(self.views), size=count)
        for start in range(0, count, self.batch_size):
            rows, views = order[start : start + self.batch_size], which[start : start + self.batch_size]
            chosen = [self.views[view][row] for view, row in zip(views, rows, strict=True)]
            yield _tensors(np.stack(chosen), self.labels[rows])

    def _judged(self) -> Iterator[Batch]:
        assert self.judged is not None
        inputs, labels = self.judged
        for start in range(0, len(labels), self.batch_size):
            yield _tensors(inputs[start : start + self.batch_size], labels[start : start + self.batch_size])


@dataclass(frozen=True)
class StreamedBatches:
    """Batches of photos, newly augmented each epoch: uint8 [N, 3, H, W].

    ``judged`` validates instead of the validation photos where their activations are kept.
    """

    dataset: Dataset
    preprocessing: Preprocessing
    preset: Any
    batch_size: int
    seed: int
    workers: int
    judged: CachedBatches | None = None

    def train(self, epoch: int) -> Any:
        """See Batches."""
        transform = augmentation(self.preset, self.preprocessing.size, self.preprocessing)
        return self._photos("train", epoch, transform, shuffle=True)

    def validation(self) -> Any:
        """See Batches."""
        if self.judged is not None:
            return self.judged.validation()
        return self._photos("validation", 0, None, shuffle=False)

    def _photos(self, split: str, epoch: int, transform: Any, *, shuffle: bool) -> Any:
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


class _Stream(IterableDataset[Batch]):
    """Batches with their number known: learning-rate schedules end where the last epoch does."""

    def __init__(self, batches: Callable[[], Iterator[Batch]], count: int) -> None:
        self.batches, self.count = batches, count

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Batch]:
        return self.batches()


def _tensors(inputs: NDArray[Any], labels: NDArray[np.int64]) -> Batch:
    return torch.from_numpy(np.asarray(inputs, np.float32)), torch.from_numpy(labels)
