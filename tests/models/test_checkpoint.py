"""The trained model on disk."""

import json
from pathlib import Path

import pytest
import torch

from phytoflow.errors import StorageError
from phytoflow.models.checkpoint import load_trained, read_summary, save_trained
from phytoflow.models.factory import create_model, preprocessing_for
from phytoflow.models.settings import ModelSettings

SETTINGS = ModelSettings(backbone="attention_cnn", weights="none", head="mlp", image_size=64)


def save(folder: Path) -> torch.nn.Module:
    model = create_model(SETTINGS, 3, finetune_blocks=1)
    summary = {"model": SETTINGS.model_dump(mode="json"), "temperature": 1.5}
    save_trained(folder, model, ("a", "b", "c"), preprocessing_for(SETTINGS), summary)
    return model


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    model, photos = save(tmp_path), torch.randn(2, 3, 64, 64)
    trained = load_trained(tmp_path)
    with torch.no_grad():
        assert torch.equal(trained.model(photos), model(photos))
    assert trained.classes == ("a", "b", "c") and trained.summary["temperature"] == 1.5
    assert trained.preprocessing == preprocessing_for(SETTINGS) and not trained.model.training


def test_a_missing_or_damaged_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"model\.json is missing"):
        load_trained(tmp_path)
    save(tmp_path)
    weights = tmp_path / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(StorageError, match="damaged"):
        load_trained(tmp_path)
    weights.unlink()
    with pytest.raises(StorageError, match=r"model\.safetensors is missing"):
        load_trained(tmp_path)
    (tmp_path / "model.json").write_text("{")
    with pytest.raises(StorageError, match="damaged"):
        read_summary(tmp_path)


def test_a_model_of_the_first_schema_is_read_under_the_names_of_today(tmp_path: Path) -> None:
    """As written by commit 210d6d1: ``facts`` instead of ``summary``, and other names of settings."""
    model = save(tmp_path)
    document = json.loads((tmp_path / "model.json").read_text())
    facts = document.pop("summary") | {"training": {"tail_blocks": 3, "tail_rate": 7e-4}, "run_id": "r"}
    (tmp_path / "model.json").write_text(json.dumps(document | {"schema_version": 1, "facts": facts}))
    trained = load_trained(tmp_path)
    assert trained.summary["training"]["finetune_blocks"] == 3 and read_summary(tmp_path)["run_id"] == "r"
    assert trained.summary["temperature"] == 1.5
    assert torch.equal(trained.model.state_dict()["head.1.weight"], model.state_dict()["head.1.weight"])
