"""What all parts of one training share."""

from __future__ import annotations

import json
import logging
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from phytoflow.data.images.preprocessing import Preprocessing
from phytoflow.data.shards.dataset import Dataset
from phytoflow.models.factory import create_model, preprocessing_for
from phytoflow.models.network import PhotoClassifier
from phytoflow.models.settings import ModelSettings
from phytoflow.provenance import code_version
from phytoflow.system.cpu import cpu_count
from phytoflow.training.engine.checkpoints import CheckpointStore, fingerprint
from phytoflow.training.engine.device import Device, find_device
from phytoflow.training.engine.fit import Epoch
from phytoflow.training.engine.lightning_module import FitSettings
from phytoflow.training.features.cache import GPU_BATCH, Extractor
from phytoflow.training.features.extractor import to_input
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.tracker_protocol import Tracker

FEW_VIEWS, MANY_VIEWS, MOST_VIEWS = 3, 8, 16
MOST_WORKERS = 8
_SHARED_MEMORY = Path("/dev/shm")
_BATCHES_OF_A_WORKER = 3  # two prepared ahead, and one on its way

_LOG = logging.getLogger(__name__)


@dataclass
class Run:
    """One training under way.

    Attributes:
        whole: Whether the network is trained end to end, without a frozen trunk.
        history: Every epoch of every fit so far.
        seconds: Wall-clock time by part.
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
    key: str
    history: list[Epoch] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Without pretrained weights there is no trunk worth freezing."""
        own = self.model.backbone == "attention_cnn" and self.model.weights == "imagenet"
        return self.training.end_to_end or self.model.weights == "none" or own

    @property
    def small(self) -> bool:
        """Too few photos to spare some: cross-validated, then fitted on all."""
        photos = self.dataset.count("train") + self.dataset.count("validation")
        return photos <= self.training.cross_validate_below or not self.dataset.count("validation")

    @property
    def views(self) -> int:
        """Views of each photo that are kept."""
        reasons = self.small + (self.training.augmentation == "outdoor")
        return self.training.cached_views or (FEW_VIEWS, MANY_VIEWS, MOST_VIEWS)[reasons]

    @property
    def workers(self) -> int:
        """Loader processes: a GPU would wait for one, CPUs that train have no time to spare for more.

        No more than their batches find room for: a process that runs out of shared memory is killed.
        """
        if self.training.num_workers or self.device.kind != "cuda":
            return self.training.num_workers
        batch = GPU_BATCH * 3 * self.preprocessing.size**2
        room = shutil.disk_usage(_SHARED_MEMORY).free // (_BATCHES_OF_A_WORKER * batch)
        return min(cpu_count(), MOST_WORKERS, room)

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return len(self.dataset.classes)

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Adds the block's time to a part's."""
        start = time.perf_counter()
        yield
        self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - start

    @cached_property
    def extractor(self) -> Extractor:
        """Computes what the trunk says of photos, and keeps it as the store keeps checkpoints."""
        folder = self.store.scratch / "features"
        return Extractor(
            self.dataset,
            self.classifier,
            self.preprocessing,
            self.device,
            self.seed,
            self.workers,
            folder,
        )

    def tail_settings(self, photos: int, *, patience: int) -> FitSettings:
        """Of the second stage, or of end-to-end training, on so many photos."""
        chosen = self.training
        steps = -(-photos // chosen.batch_size)
        finetune_epochs = max(chosen.finetune_epochs, -(-chosen.min_finetune_steps // steps))
        return FitSettings(
            rate=chosen.end_to_end_learning_rate if self.whole else chosen.finetune_learning_rate,
            epochs=chosen.end_to_end_epochs if self.whole else finetune_epochs,
            weight_decay=chosen.weight_decay,
            schedule=chosen.schedule,
            label_smoothing=chosen.label_smoothing,
            mixup=chosen.mixup,
            cutmix=chosen.cutmix,
            ema_decay=chosen.ema_decay,
            learn_norms=self.whole,
            patience=patience,
        )

    @cached_property
    def _trunk(self) -> nn.Module:
        """On the device, also where a resumed run finds its features and computes none."""
        return self.classifier.trunk.to(self.device.kind).to(memory_format=torch.channels_last).eval()

    def prepare(self, inputs: Tensor) -> Tensor:
        """Photos (uint8) through the frozen trunk; activations as they are."""
        if inputs.dtype == torch.uint8:
            inputs = to_input(inputs.to(self.device.kind, non_blocking=True), self.preprocessing)
            if self.whole:
                return inputs
            with torch.no_grad():
                return self._trunk(inputs)
        return inputs.contiguous(memory_format=torch.channels_last) if inputs.ndim == 4 else inputs

    def groups(self, *splits: str) -> np.ndarray:
        """Number of each photo's group, over the splits in order; reads their photos."""
        names = [photo.group for split in splits for photo in self.dataset.photos(split)]
        return np.unique(names, return_inverse=True)[1]


def open_run(
    dataset: Dataset,
    model: ModelSettings,
    training: TrainingSettings,
    seed: int,
    output: Path,
    checkpoints: str,
    tracker: Tracker,
) -> Run:
    """Finds the device, builds the network, and finds what a killed run of the same work left."""
    device = find_device(training)
    torch.manual_seed(seed)
    classifier = create_model(model, len(dataset.classes), training.finetune_blocks)
    key = fingerprint(
        data=[dataset.summary.data_hash, *(shard.sha256 for shard in dataset.shards)],
        settings=[json.loads(model.model_dump_json()), json.loads(training.model_dump_json())],
        seed=seed,
        code=code_version(),
    )
    store = CheckpointStore(checkpoints, key, output.parent / f".{output.name}-training-{key}")
    preprocessing = preprocessing_for(model).decoding_as(dataset.summary.preprocessing)
    return Run(dataset, model, training, seed, device, classifier, preprocessing, store, tracker, key)
