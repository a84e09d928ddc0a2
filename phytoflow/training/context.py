"""What all parts of one training share."""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.shards.dataset import Dataset
from phytoflow.models.network import PhotoClassifier
from phytoflow.models.settings import ModelSettings
from phytoflow.system.cpu import cpu_count
from phytoflow.training.distributed.group import SOLO, Group
from phytoflow.training.distributed.shares import Share
from phytoflow.training.engine.checkpoint_callback import Epoch
from phytoflow.training.engine.checkpoints import CheckpointStore
from phytoflow.training.engine.device import Device
from phytoflow.training.engine.epoch_reporter import EpochReporter
from phytoflow.training.engine.fit_settings import FitSettings
from phytoflow.training.features.cache import GPU_BATCH, FeatureCache
from phytoflow.training.features.extractor import to_input
from phytoflow.training.features.parts import Parts
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.tracker_protocol import Tracker

# Cached views of each photo: more for small sets and for the outdoor preset, whose views differ more.
FEW_VIEWS, MANY_VIEWS, MOST_VIEWS = 3, 8, 16
MOST_WORKERS = 8  # more loader processes did not make a GPU any busier
_SHARED_MEMORY = Path("/dev/shm")
_BATCHES_PER_WORKER = 3  # two prefetched and one in transit


@dataclass
class TrainingContext:
    """One training: its inputs, and what its parts have in common.

    Attributes:
        dataset: The dataset.
        model: Settings of the network.
        training: Settings of the training.
        seed: Determines every random draw.
        device: Where to compute.
        classifier: The network, with pretrained weights.
        preprocessing: From photos to the network's input.
        store: Checkpoints and cached features.
        tracker: Records epochs and the result.
        reporter: Reports epochs.
        history: Every epoch of every fit so far.
        seconds: Wall-clock time of each part.
        group: The processes that train together.
        feature_folder: Folder of cached features that other trainings share; None: a folder of its own.
    """

    dataset: Dataset
    model: ModelSettings
    training: TrainingSettings
    seed: int
    device: Device
    classifier: PhotoClassifier
    preprocessing: Preprocessing
    store: CheckpointStore
    tracker: Tracker
    reporter: EpochReporter
    history: list[Epoch] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)
    group: Group = SOLO
    feature_folder: Path | None = None

    @property
    def end_to_end(self) -> bool:
        """Whether every layer is trained: without pretrained weights no trunk is worth freezing."""
        return self.training.strategy == "full" or not self.model.pretrained

    @property
    def cross_validated(self) -> bool:
        """Whether the set is too small to hold photos out: cross-validated, then fitted on all photos."""
        photos = self.dataset.count("train") + self.dataset.count("validation")
        return photos <= self.training.cross_validate_below or not self.dataset.count("validation")

    @property
    def views(self) -> int:
        """Cached views of each photo."""
        reasons = self.cross_validated + (self.training.augmentation == "outdoor")
        return self.training.cached_views or (FEW_VIEWS, MANY_VIEWS, MOST_VIEWS)[reasons]

    @property
    def evaluated_views(self) -> int:
        """Views in which a held-out photo is evaluated: as it is, and one augmented under the outdoor preset.

        On photos as they are alone, a model for just those would always be selected.
        """
        return min(self.views, 2) if self.training.augmentation == "outdoor" else 1

    @property
    def workers(self) -> int:
        """Loader processes: a GPU would wait for a single one; CPUs that train have no time for more.

        No more than shared memory has room for: a process that runs out of it is killed.
        """
        if self.training.num_workers or self.device.kind != "cuda":
            return self.training.num_workers
        batch = GPU_BATCH * 3 * self.preprocessing.size**2
        room = shutil.disk_usage(_SHARED_MEMORY).free // (_BATCHES_PER_WORKER * batch)
        return min(-(-cpu_count() // self.group.local_size), MOST_WORKERS, room // self.group.local_size)

    @property
    def share(self) -> Share:
        """What this process computes of each batch."""
        return Share.of(self.group, self.training)

    @property
    def mixed(self) -> bool:
        """Whether photos of a batch are mixed with each other."""
        return bool(self.training.mixup or self.training.cutmix)

    @property
    def classes(self) -> int:
        """Number of classes."""
        return len(self.dataset.classes)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Adds the time of the block to a part's."""
        start = time.perf_counter()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - start

    @cached_property
    def features(self) -> FeatureCache:
        """The frozen trunk's activations, cached in the store's scratch folder."""
        return FeatureCache(
            self.dataset,
            self.classifier,
            self.preprocessing,
            self.device,
            self.seed,
            self.workers,
            self.feature_folder or self.store.scratch / "features",
            Parts(self.group, self.store),
        )

    def finetune_settings(self, photos: int, *, held_out: bool) -> FitSettings:
        """Settings of the second stage, or of end-to-end training.

        Args:
            photos: Number of photos that are trained on.
            held_out: Whether other photos are validated on after each epoch.
        """
        training = self.training
        steps = -(-photos // training.batch_size)
        finetune_epochs = max(training.finetune_epochs, -(-training.min_finetune_steps // steps))
        whole = self.end_to_end
        return FitSettings(
            training=training,
            learning_rate=training.end_to_end_learning_rate if whole else training.finetune_learning_rate,
            epochs=training.end_to_end_epochs if whole else finetune_epochs,
            learn_norms=whole,
            patience=training.early_stopping_patience if held_out else 0,
        )

    @cached_property
    def _trunk(self) -> nn.Module:
        """The trunk on the device; a resumed run that computes no features has not moved it there."""
        return self.classifier.trunk.to(self.device.kind).to(memory_format=torch.channels_last).eval()

    def prepare(self, inputs: Tensor) -> Tensor:
        """Prepares a batch for the network: photos (uint8) pass the frozen trunk, activations stay."""
        if inputs.dtype == torch.uint8:
            inputs = to_input(inputs.to(self.device.kind, non_blocking=True), self.preprocessing)
            if self.end_to_end:
                return inputs
            with torch.no_grad():
                return self._trunk(inputs)
        return inputs.contiguous(memory_format=torch.channels_last) if inputs.ndim == 4 else inputs

    def groups(self, *splits: str) -> NDArray[np.int64]:
        """Group number of each photo, over the splits in order; reads their photos."""

        def read() -> NDArray[np.int64]:
            names = [photo.group for split in splits for photo in self.dataset.photos(split)]
            return np.unique(names, return_inverse=True)[1]

        return self.group.on_first(read)
