"""What the frozen trunk says of each photo, computed once and kept.

Every view of the training photos (the first as it is served, the others augmented) is one folder of two
memory-mapped arrays, written whole or not at all: a killed run loses at most the view it was at.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import DataLoader

from phytoflow.data.augmentation.presets import augmentation
from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.shards.dataset import Dataset
from phytoflow.data.shards.loader import image_loader
from phytoflow.models.network import PhotoClassifier
from phytoflow.storage.atomic import atomic_folder
from phytoflow.system.progress import track
from phytoflow.system.threads import thread_map
from phytoflow.training.engine.device import Device
from phytoflow.training.features.extractor import Answer, Frozen, frozen

_LOG = logging.getLogger(__name__)
# Eight photos' largest activations fit the CPU's cache.
CPU_BATCH, GPU_BATCH = 8, 128
ACTIVATIONS, POOLED = "activations.npy", "pooled.npy"
Batches = DataLoader[tuple[Tensor, int, int]]


@dataclass(frozen=True)
class Views:
    """A split's photos, seen by the trunk.

    Attributes:
        activations: One array a view: the trunk's output, float16 [N, ...].
        pooled: One array a view: the frozen tail's features, float32 [N, D].
        labels: Class numbers, int64 [N].
    """

    activations: list[NDArray[np.float16]]
    pooled: list[NDArray[np.float32]]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Extractor:
    """Computes and keeps views.

    Attributes:
        dataset: The photos.
        model: Its trunk and tail are used as they are.
        preprocessing: From photos to its input.
        device: Where to compute.
        seed: Of the augmentation.
        workers: Loader processes.
        folder: Where views are kept; everything in it must come from the same model, data and seed.
    """

    dataset: Dataset
    model: PhotoClassifier
    preprocessing: Preprocessing
    device: Device
    seed: int
    workers: int
    folder: Path

    def views(self, split: str, preset: str = "none", count: int = 1, *, keep: bool = True) -> Views:
        """Views of a split, computed where they are not yet kept.

        Args:
            split: ``train`` or ``validation``.
            preset: Augmentation of all views but the first.
            count: How many views.
            keep: Whether activations are kept too; they are far larger than pooled features.
        """
        presets = ["none", *[preset] * (count - 1)] if self.dataset.count(split) else []
        folders = [self._view(split, name, view, keep) for view, name in enumerate(presets)]
        activations = [np.load(folder / ACTIVATIONS, mmap_mode="r") for folder in folders if keep]
        pooled = [np.load(folder / POOLED) for folder in folders]
        return Views(activations, pooled, np.asarray(self.dataset.labels(split), np.int64))

    def bytes_per_photo(self) -> int:
        """Bytes one view of one photo takes."""
        size = self.preprocessing.size
        with torch.inference_mode():
            return int(self.model.trunk(torch.zeros(1, 3, size, size)).numel()) * 2

    def _view(self, split: str, preset: str, view: int, keep: bool) -> Path:
        folder = self.folder / f"{split}-{preset}-{view}{'' if keep else '-pooled'}"
        if not folder.exists():
            with atomic_folder(folder) as aside:
                images = track(
                    self._images(split, preset, view), f"Features of {split} photos, view {view + 1}"
                )
                self._write(images, self.dataset.count(split), aside, keep)
        return folder

    def _write(self, images: Iterable[Any], count: int, folder: Path, keep: bool) -> None:
        kept: Any = None
        pooled = np.empty((count, self.model.feature_count), np.float32)
        row = 0
        for activations, features in self._answers(images):
            rows = slice(row, row + len(features))
            pooled[rows], row = features, rows.stop
            if keep and kept is None:
                shape = (count, *activations.shape[1:])
                kept = np.lib.format.open_memmap(folder / ACTIVATIONS, "w+", np.float16, shape)
            if keep:
                kept[rows] = activations
        if keep:
            kept.flush()
        np.save(folder / POOLED, pooled)

    def _answers(self, batches: Iterable[Any]) -> Iterator[Answer]:
        """On CPUs one batch a thread, each on one core: no core waits for another within a layer."""
        network = self._network  # built here, not by the first threads
        inputs = (photos for photos, _, _ in batches)
        if self.device.kind == "cuda":
            yield from map(network, inputs)
            return
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield from thread_map(network, inputs, threads)
        finally:
            torch.set_num_threads(threads)

    def _images(self, split: str, preset: str, view: int) -> Batches:
        size = self.preprocessing.size
        return image_loader(
            self.dataset,
            split,
            transform=None if preset == "none" else augmentation(preset, size, self.preprocessing),  # type: ignore[arg-type]
            batch_size=self._batch,
            seed=self.seed,
            epoch=view,
            workers=self.workers,
        )

    @property
    def _batch(self) -> int:
        return GPU_BATCH if self.device.kind == "cuda" else CPU_BATCH

    @cached_property
    def _network(self) -> Frozen:
        return frozen(self.model, self.device, self.preprocessing)
