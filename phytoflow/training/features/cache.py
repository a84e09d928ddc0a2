"""Disk cache of what the frozen trunk computes from each photo.

Every view of the photos (the first as it is served, the others augmented) is a folder of two memory-mapped
arrays. A view is complete or absent; of an unfinished one, a killed run loses at most ten seconds of work.
"""

from __future__ import annotations

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
from phytoflow.system.progress import progress
from phytoflow.system.threads import thread_map
from phytoflow.training.engine.device import Device
from phytoflow.training.features.extractor import Extractor, Features, compile_extractor
from phytoflow.training.features.view_writer import ACTIVATIONS, POOLED, ViewWriter

CPU_BATCH = 8  # the largest activations of eight photos fit a CPU's cache
GPU_BATCH = 128
_Batches = DataLoader[tuple[Tensor, int, int]]


@dataclass(frozen=True)
class CachedFeatures:
    """Features of a split's photos.

    Attributes:
        activations: One array for each view: the trunk's output, float16 [N, ...].
        pooled: One array for each view: the frozen tail's pooled features, float32 [N, D].
        labels: Class numbers, int64 [N].
    """

    activations: list[NDArray[np.float16]]
    pooled: list[NDArray[np.float32]]
    labels: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.labels)

    def concatenate(self, other: CachedFeatures) -> CachedFeatures:
        """These photos followed by those of ``other``, in memory: meant for small sets."""
        if not len(other):
            return self
        pairs = zip(self.activations, other.activations, strict=True)
        pooled = zip(self.pooled, other.pooled, strict=True)
        return CachedFeatures(
            [np.concatenate(pair) for pair in pairs],
            [np.concatenate(pair) for pair in pooled],
            np.concatenate([self.labels, other.labels]),
        )


@dataclass(frozen=True)
class FeatureCache:
    """Computes and caches features.

    Attributes:
        dataset: The photos.
        model: Its trunk and tail are used as they are.
        preprocessing: From photos to the model's input.
        device: Where to compute.
        seed: Seed of the augmentation.
        workers: Loader processes.
        folder: Folder of the cache; all of it must come from the same model, data and seed.
    """

    dataset: Dataset
    model: PhotoClassifier
    preprocessing: Preprocessing
    device: Device
    seed: int
    workers: int
    folder: Path

    def load(
        self, split: str, preset: str = "none", count: int = 1, *, activations: bool = True
    ) -> CachedFeatures:
        """Loads the views of a split, and computes those that are not cached yet.

        Args:
            split: ``train`` or ``validation``.
            preset: Augmentation preset of all views but the first.
            count: Number of views.
            activations: Whether activations are cached too; they are far larger than pooled features.

        Raises:
            StorageError: The disk has no room.
        """
        presets = ["none", *[preset] * (count - 1)] if self.dataset.count(split) else []
        folders = [
            self._compute(split, name, view, activations, f"{split} photos, view {view + 1} of {count}")
            for view, name in enumerate(presets)
        ]
        arrays = [np.load(folder / ACTIVATIONS, mmap_mode="r") for folder in folders if activations]
        pooled = [np.load(folder / POOLED) for folder in folders]
        return CachedFeatures(arrays, pooled, np.asarray(self.dataset.labels(split), np.int64))

    def bytes_per_photo(self) -> int:
        """Bytes that the activations of one view of one photo take."""
        size = self.preprocessing.size
        with torch.inference_mode():
            values = int(self.model.trunk(torch.zeros(1, 3, size, size)).numel())
        return values * np.dtype(np.float16).itemsize

    def _compute(self, split: str, preset: str, view: int, activations: bool, title: str) -> Path:
        """Computes a view unless it is cached; returns its folder."""
        folder = self.folder / f"{split}-{preset}-{view}{'' if activations else '-pooled'}"
        if not folder.exists():
            writer = ViewWriter(folder, self.dataset.count(split), activations=activations)
            with progress(f"Features of {title}", self.dataset.count(split)) as counter:
                counter.advance(writer.rows)  # of a run that was killed
                for features in self._extract(self._load_images(split, preset, view, writer.rows)):
                    writer.write(features)
                    counter.advance(writer.rows - counter.done)
            writer.finish()
        return folder

    def _extract(self, batches: Iterable[Any]) -> Iterator[Features]:
        """On CPUs one batch for each thread and core: no core waits for another within a layer."""
        extractor = self._extractor  # compiled here and not by the first threads, each on its own
        inputs = (photos for photos, _, _ in batches)
        if self.device.kind == "cuda":
            yield from map(extractor, inputs)
            return
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            yield from thread_map(extractor, inputs, threads)
        finally:
            torch.set_num_threads(threads)

    def _load_images(self, split: str, preset: str, view: int, start: int) -> _Batches:
        size = self.preprocessing.size
        return image_loader(
            self.dataset,
            split,
            transform=None if preset == "none" else augmentation(preset, size, self.preprocessing),  # type: ignore[arg-type]
            batch_size=GPU_BATCH if self.device.kind == "cuda" else CPU_BATCH,
            seed=self.seed,
            epoch=view,
            workers=self.workers,
            start=start,
        )

    @cached_property
    def _extractor(self) -> Extractor:
        return compile_extractor(self.model, self.device, self.preprocessing)
