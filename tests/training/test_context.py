"""What a training settles from its settings, its photos and its device."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from phytoflow.system.cpu import cpu_count
from phytoflow.training.context import FEW_VIEWS, MANY_VIEWS, MOST_VIEWS, MOST_WORKERS, Run, open_run
from phytoflow.training.engine.device import Device
from phytoflow.training.settings import TrainingSettings
from tests.support.small_training import MODEL, Notes, small_dataset


@pytest.mark.parametrize(
    ("changes", "views"),
    [
        ({}, MANY_VIEWS),
        ({"cross_validate_below": 0}, FEW_VIEWS),
        ({"cross_validate_below": 0, "augmentation": "outdoor"}, MANY_VIEWS),
        ({"augmentation": "outdoor"}, MOST_VIEWS),
        ({"cached_views": 2}, 2),
        ({"cached_views": 5, "augmentation": "outdoor"}, 5),
    ],
)
def test_small_sets_and_the_field_preset_have_more_views_unless_said(
    tmp_path: Path, changes: dict[str, object], views: int
) -> None:
    assert opened(tmp_path, **changes).views == views


def test_a_gpu_gets_loader_processes_unless_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = opened(tmp_path, device="cpu")
    assert run.workers == 0
    run = replace(run, device=Device("cuda", torch.bfloat16, "made up"))
    free_shared_memory(monkeypatch, 2**31)
    assert run.workers == min(cpu_count(), MOST_WORKERS) > 0
    assert replace(run, training=TrainingSettings(num_workers=11)).workers == 11
    free_shared_memory(monkeypatch, 1000)  # too little for one: the training process loads
    assert run.workers == 0


def test_photos_meet_the_trunk_on_the_device(tmp_path: Path) -> None:
    """As in a resumed run, whose features are there: nothing has moved the network yet."""
    run = replace(opened(tmp_path, device="cpu"), device=Device("meta", torch.float32, "any but the CPU"))
    assert not run.whole
    photos = torch.zeros(2, 3, run.preprocessing.size, run.preprocessing.size, dtype=torch.uint8)
    assert run.prepare(photos).device.type == "meta"


def free_shared_memory(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))


def opened(folder: Path, **changes: object) -> Run:
    dataset, settings = small_dataset(folder, photos=10), TrainingSettings(**changes)  # type: ignore[arg-type]
    return open_run(dataset, MODEL, settings, 0, folder / "model", str(folder / "checkpoints"), Notes())
