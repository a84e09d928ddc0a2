"""The trained model on disk."""

from pathlib import Path

import pytest
import torch

from phytoflow.errors import StorageError
from phytoflow.models.checkpoint import load_trained, save_trained
from phytoflow.models.factory import create_model, preprocessing_for
from phytoflow.models.settings import ModelSettings

SETTINGS = ModelSettings(backbone="attention_cnn", weights="none", head="mlp", image_size=64)


def saved(folder: Path) -> torch.nn.Module:
    model = create_model(SETTINGS, 3, finetune_blocks=1)
    facts = {"model": SETTINGS.model_dump(mode="json"), "temperature": 1.5}
    save_trained(folder, model, ("a", "b", "c"), preprocessing_for(SETTINGS), facts)
    return model


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    model, photos = saved(tmp_path), torch.randn(2, 3, 64, 64)
    trained = load_trained(tmp_path)
    with torch.no_grad():
        assert torch.equal(trained.model(photos), model(photos))
    assert trained.classes == ("a", "b", "c") and trained.facts["temperature"] == 1.5
    assert trained.preprocessing == preprocessing_for(SETTINGS) and not trained.model.training


def test_a_missing_or_damaged_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"model\.json is missing"):
        load_trained(tmp_path)
    saved(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(StorageError, match="damaged"):
        load_trained(tmp_path)
