"""Training of every layer."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from phytoflow.data.shards.dataset import Dataset
from phytoflow.errors import DataError
from phytoflow.models.settings import ModelSettings
from phytoflow.training.context import TrainingContext
from phytoflow.training.open_context import open_context, open_store
from phytoflow.training.settings import TrainingSettings
from phytoflow.training.strategies.end_to_end import train_end_to_end
from tests.support.shard_folder import dataset_folder
from tests.support.small_training import Notes

MODEL = ModelSettings(backbone="attention_cnn", weights="none", image_size=32)
SETTINGS = TrainingSettings(end_to_end_epochs=2, batch_size=4, device="cpu")


def opened(folder: Path, counts: dict[str, int]) -> TrainingContext:
    dataset_folder(folder / "dataset", counts)
    dataset = Dataset.open(folder / "dataset")
    store = open_store(dataset, MODEL, SETTINGS, 0, folder / "model", str(folder / "checkpoints"))
    return open_context(dataset, MODEL, SETTINGS, 0, store, Notes())


def test_every_layer_learns_and_is_evaluated_on_validation_photos(tmp_path: Path) -> None:
    context = opened(tmp_path, {"train": 9, "validation": 5, "test": 0})
    before = {name: value.clone() for name, value in context.classifier.state_dict().items()}
    outcome = train_end_to_end(context)
    after = outcome.network.state_dict()
    assert not any(torch.equal(value, after[name]) for name, value in before.items() if "weight" in name)
    assert int(after["body.0.1.num_batches_tracked"]) > 0
    assert outcome.labels.tolist() == context.dataset.labels("validation")
    assert outcome.logits.shape == (5, 2) and len(outcome.candidates) == 1
    assert outcome.selected_on == "5 validation photos" and outcome.trained_on == ("train",)
    assert [epoch["epoch"] for epoch in context.history] == [1, 2] and "end_to_end" in context.seconds


def test_without_validation_photos_it_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="needs validation photos") as raised:
        train_end_to_end(opened(tmp_path, {"train": 9, "validation": 0, "test": 0}))
    assert "data.validation_fraction" in raised.value.remedy
