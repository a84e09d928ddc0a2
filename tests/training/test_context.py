"""What a training derives from its settings, its photos and its device."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from phytoflow.models.settings import ModelSettings
from phytoflow.system.cpu import cpu_count
from phytoflow.training.context import (
    FEW_VIEWS,
    MANY_VIEWS,
    MOST_VIEWS,
    MOST_WORKERS,
    TrainingContext,
)
from phytoflow.training.engine.device import Device
from phytoflow.training.open_context import open_context, open_store
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
def test_small_sets_and_the_outdoor_preset_have_more_views_unless_set(
    tmp_path: Path, changes: dict[str, object], views: int
) -> None:
    assert opened(tmp_path, **changes).views == views


def test_a_gpu_gets_loader_processes_unless_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = opened(tmp_path, device="cpu")
    assert context.workers == 0
    context = replace(context, device=Device("cuda", torch.bfloat16, "a GPU"))
    free_shared_memory(monkeypatch, 2**31)
    assert context.workers == min(cpu_count(), MOST_WORKERS) > 0
    assert replace(context, training=TrainingSettings(num_workers=11)).workers == 11
    free_shared_memory(monkeypatch, 1000)  # too little for one: the training process loads
    assert context.workers == 0


def test_photos_meet_the_trunk_on_the_device(tmp_path: Path) -> None:
    """As in a resumed run, whose features are there: nothing has moved the network yet."""
    context = replace(opened(tmp_path, device="cpu"), device=Device("meta", torch.float32, "any but the CPU"))
    assert not context.end_to_end
    photos = torch.zeros(2, 3, context.preprocessing.size, context.preprocessing.size, dtype=torch.uint8)
    assert context.prepare(photos).device.type == "meta"


def free_shared_memory(monkeypatch: pytest.MonkeyPatch, free: int) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))


def opened(folder: Path, **changes: object) -> TrainingContext:
    dataset, settings = small_dataset(folder, photos=10), TrainingSettings(**changes)  # type: ignore[arg-type]
    store = open_store(dataset, MODEL, settings, 0, folder / "model", str(folder / "checkpoints"))
    return open_context(dataset, MODEL, settings, 0, store, Notes())


def test_small_sets_are_finetuned_for_a_minimum_of_steps(tmp_path: Path) -> None:
    context = opened(tmp_path, batch_size=32, finetune_epochs=3, min_finetune_steps=120)
    assert context.finetune_settings(320, held_out=False).epochs == 12
    assert context.finetune_settings(32_000, held_out=False).epochs == 3
    assert context.finetune_settings(320, held_out=False).patience == 0
    assert context.finetune_settings(320, held_out=True).patience == context.training.early_stopping_patience


def test_without_pretrained_weights_training_is_end_to_end(tmp_path: Path) -> None:
    context = opened(tmp_path)
    none = MODEL.model_copy(update={"weights": "none"})
    own = ModelSettings(backbone="attention_cnn")
    assert [replace(context, model=model).end_to_end for model in (MODEL, none, own)] == [False, True, True]


def test_time_is_added_up_by_part(tmp_path: Path) -> None:
    context = opened(tmp_path)
    for _ in range(2):
        with context.timed("head"):
            pass
    assert set(context.seconds) == {"head"} and 0 < context.seconds["head"] < 1
