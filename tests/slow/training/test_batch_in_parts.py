"""Parts of a batch add up to the batch, through a whole backbone and an epoch.

In float32 rounding may grow from step to step until weights differ. In float64 it stays far below what a
wrong share, weight or order would do, so a training in parts must end at the weights of whole batches.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import timm
import torch
from torch import Tensor

from phytoflow.training.distributed.group import SOLO, Group, join_group
from phytoflow.training.distributed.shares import Share
from phytoflow.training.engine.batches import CachedBatches
from phytoflow.training.engine.checkpoints import CheckpointStore
from phytoflow.training.engine.device import Device
from phytoflow.training.engine.epoch_reporter import EpochReporter
from phytoflow.training.engine.fit import fit
from phytoflow.training.engine.lightning_module import FinetuneModule, FitSettings
from phytoflow.training.settings import TrainingSettings
from tests.support.services.training_group import run_group
from tests.support.small_training import Notes

PHOTOS, CLASSES, BATCH = 172, 4, 32  # the last of six batches has twelve photos
CPU = Device("cpu", torch.float32, "CPU")


def fit_backbone(folder: Path, changes: dict[str, Any], group: Group) -> dict[str, Tensor]:
    """Weights after an epoch over photos of unequal classes."""
    chance = np.random.default_rng(1)
    labels = chance.choice(CLASSES, PHOTOS, p=[0.6, 0.25, 0.1, 0.05])
    photos = chance.normal(size=(PHOTOS, 3, 32, 32)).astype(np.float32) + labels[:, None, None, None]
    torch.manual_seed(0)
    network = timm.create_model("test_efficientnet", num_classes=CLASSES).double()
    training = TrainingSettings(batch_size=BATCH, device="cpu", **changes)
    settings = FitSettings(training, 7e-4, 1, learn_norms=False, patience=0)
    share, mixed = Share.of(group, training), bool(training.mixup)
    held_out = (photos[:40], labels[:40])
    batches = CachedBatches([photos], labels, np.arange(PHOTOS), held_out, BATCH, 3, share=share, mixed=mixed)
    weights = torch.tensor(1 / np.bincount(labels, minlength=CLASSES))
    module = FinetuneModule(network, settings, batches, weights * PHOTOS, 3, Tensor.double, group)
    store = CheckpointStore(str(folder), "fit", folder / "scratch")
    return fit(module, "fit", store, CPU, EpochReporter(Notes()))[0].state_dict()


def fit_share(folder: Path, changes: dict[str, Any]) -> dict[str, Tensor]:
    """What each process of a group does."""
    torch.set_num_threads(1)
    return fit_backbone(folder, changes, join_group(TrainingSettings(device="cpu")))


@pytest.mark.timeout(900)
@pytest.mark.parametrize("mixup", [0.0, 0.4])
def test_parts_end_at_the_weights_of_whole_batches(mixup: float, tmp_path: Path) -> None:
    whole = fit_backbone(tmp_path / "whole", {"mixup": mixup}, SOLO)
    parts = {"mixup": mixup, "device_batch_size": 5}
    results = [fit_backbone(tmp_path / "parts", parts, SOLO)]
    for processes in (2, 4):
        results += run_group(fit_share, processes, tmp_path / str(processes), {"mixup": mixup})
    for weights in results:
        for name, value in whole.items():
            torch.testing.assert_close(weights[name], value, rtol=1e-6, atol=1e-9)
