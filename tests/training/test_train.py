"""The whole training step on small pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from phytoflow.data.shards.dataset import Dataset
from phytoflow.models.checkpoint import load_trained
from phytoflow.models.settings import ModelSettings
from phytoflow.training import train as module
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.summary import TrainingSummary
from phytoflow.training.train import is_trained, train
from tests.support.small_training import MODEL, Notes, small_dataset

FAST = {"cached_views": 2, "finetune_epochs": 2, "min_finetune_steps": 4, "folds": 2, "device": "cpu"}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return small_dataset(tmp_path_factory.mktemp("small"))


def settings(**changes: object) -> TrainingSettings:
    return TrainingSettings(**(FAST | changes))  # type: ignore[arg-type]


def run(
    dataset: Dataset,
    folder: Path,
    model: ModelSettings = MODEL,
    notes: Notes | None = None,
    **changes: object,
) -> TrainingSummary:
    chosen, checkpoints = settings(**changes), str(folder / "checkpoints")
    return train(dataset, model, chosen, 0, folder / "model", checkpoints, notes or Notes())


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_trained(folder / "model").model.state_dict()


def test_a_small_set_is_learnt(dataset: Dataset, tmp_path: Path) -> None:
    notes = Notes()
    summary = run(dataset, tmp_path, notes=notes)
    assert summary.trained_on == ("train", "validation") and "2-fold" in summary.selected_on
    model = load_trained(tmp_path / "model")
    assert model.classes == dataset.classes and model.summary["temperature"] == summary.temperature
    test = list(dataset.photos("test"))
    with torch.inference_mode():
        logits = model.model(torch.from_numpy(np.stack([model.preprocessing(p.content) for p in test])))
    right = [dataset.classes[int(a)] == p.label for a, p in zip(logits.argmax(1), test, strict=True)]
    assert np.mean(right) >= 0.8
    assert {p.name for p in (tmp_path / "model").iterdir()} == {
        "model.safetensors",
        "model.json",
        "history.csv",
        "curves.png",
    }
    assert notes.names == ["curves.png", "history.csv"]
    assert notes.metrics[-1][1].keys() == {"chosen/loss", "chosen/macro_f1", "chosen/accuracy"}


def test_the_same_seed_gives_the_same_weights(dataset: Dataset, tmp_path: Path) -> None:
    both = [run(dataset, tmp_path / name, cross_validate_below=0) for name in ("one", "two")]
    assert both[0].candidates == both[1].candidates
    first, second = weights(tmp_path / "one"), weights(tmp_path / "two")
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_a_finished_training_is_kept_until_its_model_is_stored_elsewhere(
    dataset: Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process may be killed after the model is written and before the pipeline's cache has it."""
    checkpoints = str(tmp_path / "checkpoints")
    assert not is_trained(dataset, MODEL, settings(finetune_blocks=0), 0, checkpoints)
    first = run(dataset, tmp_path, finetune_blocks=0)
    assert is_trained(dataset, MODEL, settings(finetune_blocks=0), 0, checkpoints)
    assert not is_trained(dataset, MODEL, settings(finetune_blocks=0), 1, checkpoints)
    assert not list(tmp_path.rglob("*.npy"))  # the features, by far the largest part, are gone
    before, notes = weights(tmp_path), Notes()
    (tmp_path / "model").rename(tmp_path / "lost")

    def refuse(*_: object) -> None:
        raise AssertionError("trained again")

    with monkeypatch.context() as patched:
        patched.setattr(module, "open_context", refuse)
        again = run(dataset, tmp_path, notes=notes, finetune_blocks=0)
    assert again == first and all(
        torch.equal(before[name], value) for name, value in weights(tmp_path).items()
    )
    assert notes.names == ["curves.png", "history.csv"] and "chosen/loss" in notes.metrics[0][1]


def test_without_a_second_stage_only_the_head_differs_from_the_pretrained_network(
    dataset: Dataset, tmp_path: Path
) -> None:
    summary = run(dataset, tmp_path, finetune_blocks=0)
    assert summary.stage_chosen == "head" and summary.alpha == 0 and summary.l2_penalty > 0
    from phytoflow.models.factory import create_model

    before, after = create_model(MODEL, 2).state_dict(), weights(tmp_path)
    assert {name for name in before if not torch.equal(before[name], after[name])} == {
        "head.weight",
        "head.bias",
    }
    assert pd.read_csv(tmp_path / "model" / "history.csv").empty


def test_a_ruinous_second_stage_leaves_the_probe(dataset: Dataset, tmp_path: Path) -> None:
    summary = run(dataset, tmp_path, finetune_learning_rate=0.5, ema_decay=0.0)
    assert summary.stage_chosen == "head" and summary.alpha == 0.0
    assert summary.candidates[-1].loss > summary.candidates[0].loss


def test_every_option_of_the_second_stage_at_once(dataset: Dataset, tmp_path: Path) -> None:
    summary = run(
        dataset,
        tmp_path,
        cross_validate_below=0,
        activation_cache_bytes=0,
        mixup=0.2,
        cutmix=0.5,
        class_balancing="sampler",
        schedule="plateau",
    )
    assert summary.trained_on == ("train",) and summary.validation["accuracy"] > 0.5
    assert summary.selected_on == f"{dataset.count('validation')} validation photos"


def test_without_pretrained_weights_every_layer_learns(dataset: Dataset, tmp_path: Path) -> None:
    model = ModelSettings(backbone="attention_cnn", image_size=64)
    summary = run(dataset, tmp_path, model, end_to_end_epochs=1)
    assert summary.stage_chosen == "end_to_end" and summary.alpha == 1.0
    assert weights(tmp_path)["body.0.1.num_batches_tracked"] > 0
