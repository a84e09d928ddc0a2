"""A fit by several processes has the result of a fit by one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from phytoflow.training.distributed.group import SOLO, Group, join_group
from phytoflow.training.distributed.shares import Share
from phytoflow.training.engine.batches import CachedBatches
from phytoflow.training.engine.checkpoints import CheckpointStore
from phytoflow.training.engine.device import Device
from phytoflow.training.engine.epoch_reporter import EpochReporter
from phytoflow.training.engine.fit import fit
from phytoflow.training.engine.fit_settings import FitSettings
from phytoflow.training.engine.lightning_module import FinetuneModule
from phytoflow.training.settings import TrainingSettings
from tests.support.services.training_group import run_group
from tests.support.small_training import Notes

PHOTOS = 41  # the last of three batches has nine photos, of which four processes have two or three
RANDOM = np.random.default_rng(0)
LABELS = np.arange(PHOTOS) % 3
INPUTS = (RANDOM.normal(size=(PHOTOS, 6)) + LABELS[:, None]).astype(np.float32)
HELD_OUT = (INPUTS[::9] + 0.5, LABELS[::9])
CPU = Device("cpu", torch.float32, "CPU")
Result = tuple[dict[str, torch.Tensor], list[dict[str, Any]], list[int]]


class BreakError(Exception):
    """Breaks a fit off."""


class Recording(FinetuneModule):
    """Remembers which epochs were trained."""

    trained: list[int]
    break_at = 0

    def on_train_epoch_start(self) -> None:
        """See FinetuneModule."""
        super().on_train_epoch_start()
        if self.current_epoch + 1 == self.break_at:
            raise BreakError
        self.trained.append(self.current_epoch + 1)


def fit_here(folder: Path, epochs: int, changes: dict[str, Any], group: Group) -> Result:
    """Weights, history and epochs of one process."""
    torch.manual_seed(0)
    network = nn.Sequential(nn.Linear(6, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 3))
    chosen = dict(changes)
    learn_norms, break_at = chosen.pop("learn_norms", False), chosen.pop("break_at", 0)
    training = TrainingSettings(**{"batch_size": 16, "device": "cpu"} | chosen)
    settings = FitSettings(training, 0.02, epochs, learn_norms=learn_norms, patience=0)
    share, mixed = Share.of(group, training), bool(training.mixup)
    rows = np.arange(PHOTOS)
    batches = CachedBatches([INPUTS], LABELS, rows, HELD_OUT, 16, 3, share=share, mixed=mixed)
    weights = torch.tensor([0.5, 1.0, 3.0])
    module = Recording(network, settings, batches, weights, 3, lambda inputs: inputs, group)
    module.trained, module.break_at = [], break_at
    store = CheckpointStore(str(folder), "fit", folder / "scratch")
    fitted, history = fit(module, "fit", store, CPU, EpochReporter(Notes()))
    return fitted.state_dict(), history, module.trained


def fit_in_group(folder: Path, epochs: int, changes: dict[str, Any]) -> Result:
    """What each process of a group does."""
    return fit_here(folder, epochs, changes, join_group(TrainingSettings(device="cpu")))


def fit_until_epoch(folder: Path, epochs: int, last: int, sharding: str) -> bool:
    """A fit that breaks off when an epoch begins; whether it did."""
    group = join_group(TrainingSettings(device="cpu"))
    with pytest.raises(BreakError):
        fit_here(folder, epochs, {"break_at": last, "sharding": sharding}, group)
    return True


def assert_equal(results: list[Result], alone: Result) -> None:
    for weights, history, _ in results:
        for name, value in alone[0].items():
            torch.testing.assert_close(weights[name], value, rtol=1e-4, atol=1e-6)
        for epoch, expected in zip(history, alone[1], strict=True):
            figures = {name: value for name, value in expected.items() if name != "fit"}
            assert {name: epoch[name] for name in figures} == pytest.approx(figures, rel=1e-4)


@pytest.mark.parametrize(
    ("size", "changes"),
    [
        (4, {}),
        (2, {"learn_norms": True}),
        (2, {"device_batch_size": 3, "mixup": 0.4}),
        (1, {"device_batch_size": 5}),
        (2, {"sharding": "fsdp"}),
        (2, {"sharding": "fsdp", "learn_norms": True}),
        (3, {"sharding": "fsdp", "device_batch_size": 3}),
    ],
)
def test_any_number_of_processes_gives_the_same_weights(
    size: int, changes: dict[str, Any], tmp_path: Path
) -> None:
    undivided = {name: value for name, value in changes.items() if name != "device_batch_size"}
    alone = fit_here(tmp_path / "alone", 2, undivided, SOLO)
    if size == 1:
        results = [fit_here(tmp_path / "group", 2, changes, SOLO)]
    else:
        results = run_group(fit_in_group, size, tmp_path / "group", 2, changes)
    assert_equal(results, alone)


@pytest.mark.parametrize(("before", "after"), [("ddp", "ddp"), ("ddp", "fsdp"), ("fsdp", "ddp")])
def test_a_fit_is_resumed_by_another_number_of_processes(before: str, after: str, tmp_path: Path) -> None:
    alone = fit_here(tmp_path / "alone", 3, {}, SOLO)
    assert run_group(fit_until_epoch, 2, tmp_path / "group", 3, 2, before) == [True, True]
    results = run_group(fit_in_group, 3, tmp_path / "group", 3, {"sharding": after})
    assert_equal(results, alone)
    assert [trained for _, _, trained in results] == [[2, 3]] * 3
