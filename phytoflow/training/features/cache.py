"""Disk cache of what the frozen trunk computes from each photo.

Every view of the photos (the first as it is served, the others augmented) is a folder of two memory-mapped
arrays. A view is complete or absent; of an unfinished one, a killed run loses at most ten seconds of work.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

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
from phytoflow.training.features.parts import Parts
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


class View(NamedTuple):
    """One view of a split's photos.

    Attributes:
        split: ``train`` or ``validation``.
        preset: Augmentation preset.
        number: From 0; with the seed, determines the augmentation.
        activations: Whether activations are cached too.
        title: For people.
    """

    split: str
    preset: str
    number: int
    activations: bool
    title: str

    @property
    def name(self) -> str:
        """Name of its folder."""
        return f"{self.split}-{self.preset}-{self.number}{'' if self.activations else '-pooled'}"


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
        parts: How a group's processes compute a view together; None: this process computes it alone.
    """

    dataset: Dataset
    model: PhotoClassifier
    preprocessing: Preprocessing
    device: Device
    seed: int
    workers: int
    folder: Path
    parts: Parts | None = None

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
        views = [
            View(split, name, number, activations, f"{split} photos, view {number + 1} of {count}")
            for number, name in enumerate(presets)
        ]
        folders = [self._find(view) for view in views]
        arrays = [np.load(folder / ACTIVATIONS, mmap_mode="r") for folder in folders if activations]
        pooled = [np.load(folder / POOLED) for folder in folders]
        return CachedFeatures(arrays, pooled, np.asarray(self.dataset.labels(split), np.int64))

    def bytes_per_photo(self) -> int:
        """Bytes that the activations of one view of one photo take."""
        size = self.preprocessing.size
        with torch.inference_mode():
            values = int(self.model.trunk(torch.zeros(1, 3, size, size)).numel())
        return values * np.dtype(np.float16).itemsize

    def _find(self, view: View) -> Path:
        """Computes a view unless it is cached; returns its folder."""
        folder = self.folder / view.name
        if self.parts is not None and self.parts.group.size > 1:
            self._compute_together(view, folder, self.parts)
        elif not folder.exists():
            self._compute(view, folder, slice(0, self.dataset.count(view.split)))
        return folder

    def _compute_together(self, view: View, folder: Path, parts: Parts) -> None:
        """Computes this process's part of a view; one process of each machine puts all together."""
        if all(parts.group.gather(folder.exists())):
            return
        photos, own = self.dataset.count(view.split), parts.folder(folder, parts.group.rank)
        rows = parts.rows(photos, self._batch, parts.group.rank)
        if not parts.is_shared(folder):
            if rows.start < rows.stop and not own.exists():
                self._compute(view, own, rows)
            parts.share(folder)
        parts.group.meet()
        if parts.assembles and not folder.exists():
            writer = ViewWriter(folder, photos, activations=view.activations)
            for features in parts.read(folder, photos, self._batch, writer.rows):
                writer.write(features)
            writer.finish()
        parts.group.meet()
        if parts.assembles:
            parts.remove(folder)

    def _compute(self, view: View, folder: Path, rows: slice) -> None:
        """Computes some photos of a view."""
        photos = rows.stop - rows.start
        writer = ViewWriter(folder, photos, activations=view.activations)
        with progress(f"Features of {view.title}", photos) as counter:
            counter.advance(writer.rows)  # of a run that was killed
            left = slice(rows.start + writer.rows, rows.stop)
            for features in self._extract(self._load_images(view, left)):
                writer.write(features)
                counter.advance(writer.rows - counter.done)
        writer.finish()

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

    @property
    def _batch(self) -> int:
        return GPU_BATCH if self.device.kind == "cuda" else CPU_BATCH

    def _load_images(self, view: View, rows: slice) -> _Batches:
        size = self.preprocessing.size
        preset = view.preset
        return image_loader(
            self.dataset,
            view.split,
            transform=None if preset == "none" else augmentation(preset, size, self.preprocessing),  # type: ignore[arg-type]
            batch_size=self._batch,
            seed=self.seed,
            epoch=view.number,
            workers=self.workers,
            rows=rows,
        )

    @cached_property
    def _extractor(self) -> Extractor:
        return compile_extractor(self.model, self.device, self.preprocessing)
