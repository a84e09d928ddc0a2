"""Opens what all parts of one training share."""

from __future__ import annotations

import json
from pathlib import Path

import torch

from phytoflow.data.shards.dataset import Dataset
from phytoflow.models.factory import create_model, preprocessing_for
from phytoflow.models.settings import ModelSettings
from phytoflow.provenance import code_version
from phytoflow.training.context import TrainingContext
from phytoflow.training.distributed.group import SOLO, Group
from phytoflow.training.engine.checkpoints import CheckpointStore, fingerprint
from phytoflow.training.engine.device import find_device
from phytoflow.training.engine.epoch_reporter import EpochReporter
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.tracker_protocol import Tracker


def open_store(
    dataset: Dataset,
    model: ModelSettings,
    training: TrainingSettings,
    seed: int,
    output: Path,
    checkpoints: str,
) -> CheckpointStore:
    """Opens the checkpoint store of a training; its key identifies data, settings, seed and code.

    Args:
        dataset: The dataset.
        model: Settings of the network.
        training: Settings of the training.
        seed: Seed of the training.
        output: The model folder; with remote checkpoints, large files are cached next to it.
        checkpoints: Folder or ``s3://`` prefix of all checkpoints.
    """
    key = fingerprint(
        data=[dataset.summary.data_hash, *(shard.sha256 for shard in dataset.shards)],
        settings=[json.loads(part.model_dump_json()) for part in (model, training.without_placement())],
        seed=seed,
        code=code_version(),
    )
    return CheckpointStore(checkpoints, key, output.parent / f".{output.name}-training-{key}")


def open_context(
    dataset: Dataset,
    model: ModelSettings,
    training: TrainingSettings,
    seed: int,
    store: CheckpointStore,
    tracker: Tracker,
    group: Group = SOLO,
    shared_features: Path | None = None,
) -> TrainingContext:
    """Finds the device and builds the network.

    Args:
        dataset: The dataset.
        model: Settings of the network.
        training: Settings of the training.
        seed: Seed of the training.
        store: Checkpoints and cached features.
        tracker: Records epochs and the result.
        group: The processes that train together.
        shared_features: Folder in which trainings share the features that are the same for them.

    Raises:
        WeightsError: The pretrained weights are not available.
        ConfigError: The settings ask for a GPU and there is none.
    """
    device = find_device(training, group.size)
    torch.manual_seed(seed)
    classifier = create_model(model, len(dataset.classes), training.finetune_blocks)
    preprocessing = preprocessing_for(model).decoding_as(dataset.summary.preprocessing)
    reporter = EpochReporter(tracker)
    context = TrainingContext(
        dataset,
        model,
        training,
        seed,
        device,
        classifier,
        preprocessing,
        store,
        tracker,
        reporter,
        group=group,
    )
    if shared_features:
        context.feature_folder = shared_features / _feature_key(context)
    return context


def _feature_key(context: TrainingContext) -> str:
    """Identifies what the cached features depend on: neither the head nor how it is trained."""
    return fingerprint(
        data=[context.dataset.summary.data_hash, *(shard.sha256 for shard in context.dataset.shards)],
        model=json.loads(context.model.model_dump_json(exclude={"head", "dropout"})),
        blocks=context.training.finetune_blocks,
        seed=context.seed,
        code=code_version(),
    )
